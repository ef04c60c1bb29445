import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { approveCampaign } from '../../db/clearance/approve.ts';
import { campaignUuid } from '../../db/clearance/campaign.ts';
import { answerEscalation, commandCampaign, type CampaignCommand } from '../../db/clearance/commands.ts';
import { createCampaign } from '../../db/clearance/create.ts';
import { decideProposal, type Decision } from '../../db/clearance/propose.ts';
import { listCampaigns, readCampaign, readReport, type CampaignDetail } from '../../db/clearance/read.ts';
import type { ApiKey } from '../../db/network.ts';
import { CAMPAIGN_STATUSES } from '../../domain/clearance/flow.ts';
import type { CampaignPlan } from '../../domain/clearance/plan.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { actorOf } from '../plugins/auth.ts';
import { Code, OneOf, openResponses } from '../schemas/common.ts';
import { cursor, paging } from '../schemas/paging.ts';
import { AdjustBody, AnswerBody, CampaignBody, DecideBody, ExtendBody, StopBody } from './schema.ts';

const tags = ['campaigns'];
const response = openResponses;
const params = Type.Object({ id: Type.String({ maxLength: 64 }) });
const write = { scope: 'network:write' } as const;
const readScope = { scope: 'network:read' } as const;

/** Prices are everybody's: a key that is bound to a location sets none. */
function headOffice(key: ApiKey): string {
  if (key.locationId !== null) throw new Problem('forbidden', 'this key is bound to a location: the head office runs campaigns');
  return actorOf(key);
}

/** Clearance campaigns (清仓活动). Every command commits here, also while Temporal is down; the campaign's workflow then looks. */
export const campaignRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { network, writer, pool } }) => {
  app.post('/v1/campaigns', {
    config: write,
    schema: {
      summary: 'Draft a clearance campaign', tags, body: CampaignBody, response,
      description: 'SKUs, a target, a floor and a budget; stages one after another, each over on time, on target or on budget. One campaign at a time has a SKU. Idempotent by `reference`.',
    },
  }, async (request, reply) => reply.code(201).send(await createCampaign(writer, network, request.body as CampaignPlan, headOffice(request.apiKey))));

  app.get('/v1/campaigns', {
    config: readScope,
    schema: {
      summary: 'List campaigns, the newest first', tags, response, description: 'Those that are `escalated` missed their target and wait for an operator.',
      querystring: Type.Object({ ...paging, status: Type.Optional(OneOf(CAMPAIGN_STATUSES)), sku: Type.Optional(Code) }, { additionalProperties: false }),
    },
  }, async (request) => {
    const { after, limit = 50, status = null, sku = null } = request.query;
    const items = await listCampaigns(pool, { status, sku, before: cursor('cmp', after), limit });
    return { items, next: items.length === limit ? items.at(-1)?.id ?? null : null };
  });

  app.get('/v1/campaigns/:id', { config: readScope, schema: { summary: 'Read a campaign: progress, stages, prices, proposals, timeline', tags, params, response } },
    (request) => readCampaign(pool, campaignUuid(request.params.id)));
  app.get('/v1/campaigns/:id/report', {
    config: readScope, schema: { summary: 'Read the report of a campaign', tags, params, response, description: 'Sell-through against plan, margin, cannibalised sales, ROI of each stage; `words` says it in sentences.' },
  }, (request) => readReport(pool, campaignUuid(request.params.id)));

  app.post('/v1/campaigns/:id/approve', {
    config: write, schema: { summary: 'Approve a campaign', tags, params, response, description: 'By another key than drafted it, unless the plan says `anyone`. From its begin on its prices are live by time. Again: no change.' },
  }, async (request) => {
    const uuid = campaignUuid(request.params.id);
    await approveCampaign(writer, network, uuid, headOffice(request.apiKey));
    return readCampaign(pool, uuid);
  });

  const obey = async (id: string, command: CampaignCommand, key: ApiKey): Promise<CampaignDetail> => {
    const uuid = campaignUuid(id);
    await commandCampaign(writer, network, uuid, command, headOffice(key));
    return readCampaign(pool, uuid);
  };
  app.post('/v1/campaigns/:id/pause', {
    config: write, schema: { summary: 'Pause a campaign', tags, params, response, description: 'Its prices end now, unused coupons are void; its dates stay. Again: no change.' },
  }, (request) => obey(request.params.id, { command: 'pause' }, request.apiKey));
  app.post('/v1/campaigns/:id/resume', {
    config: write, schema: { summary: 'Resume a campaign', tags, params, response, description: 'Prices are live again; members that have not used their coupon get a new one. Again: no change.' },
  }, (request) => obey(request.params.id, { command: 'resume' }, request.apiKey));
  app.post('/v1/campaigns/:id/extend', {
    config: write, schema: { summary: 'Extend a campaign or one of its stages', tags, params, body: ExtendBody, response, description: 'To later moments; the last stage goes on with the campaign. Again: no change.' },
  }, (request) => obey(request.params.id, { command: 'extend', ...request.body }, request.apiKey));
  app.post('/v1/campaigns/:id/adjust', {
    config: write, schema: { summary: 'Adjust target, budget, floor or stages', tags, params, body: AdjustBody, response, description: 'The plan must still make sense as a whole, or nothing changes. Again: no change.' },
  }, (request) => obey(request.params.id, { command: 'adjust', ...request.body } as CampaignCommand, request.apiKey));
  app.post('/v1/campaigns/:id/stop', {
    config: write, schema: { summary: 'Stop a campaign', tags, params, body: StopBody, response, description: 'Prices and stock are restored in this commit; the report follows. Again: no change.' },
  }, (request) => obey(request.params.id, { command: 'stop', reason: request.body.reason }, request.apiKey));

  app.post('/v1/campaigns/:id/proposals/:no', {
    config: write,
    schema: {
      summary: 'Accept or decline a proposed markdown', tags, body: DecideBody, response, params: Type.Object({ id: Type.String({ maxLength: 64 }), no: Type.Integer({ minimum: 1, maximum: 100_000 }) }),
      description: 'Accepted, the new prices are live from this commit on. The same decision again: no change.',
    },
  }, async (request) => {
    const uuid = campaignUuid(request.params.id);
    await decideProposal(writer, network, uuid, request.params.no, request.body as Decision, headOffice(request.apiKey));
    return readCampaign(pool, uuid);
  });
  app.post('/v1/campaigns/:id/answer', {
    config: write, schema: { summary: 'Answer an escalated campaign', tags, params, body: AnswerBody, response, description: 'Says what becomes of the rest; the campaign is `ended` then. Again: no change.' },
  }, async (request) => {
    const uuid = campaignUuid(request.params.id);
    await answerEscalation(writer, uuid, request.body.answer, headOffice(request.apiKey));
    return readCampaign(pool, uuid);
  });
  return Promise.resolve();
};
