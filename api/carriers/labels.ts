import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { drawLabel } from '../../carriers/registry.ts';
import { fulfillmentLabel, returnLabel } from '../../db/carriers/labels.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { ReturnParams } from '../returns/schema.ts';
import { problemResponses } from '../schemas/common.ts';
import { FulfillmentParams } from './schema.ts';

const label = {
  description: 'the label as PDF, or what the platform\'s print component takes (JSON, not for us to read)',
  content: { 'application/pdf': { schema: Type.Unsafe<Buffer>({ type: 'string', format: 'binary' }) }, 'application/json': { schema: Type.Unsafe<object>({}) } },
};
const tags = ['carriers'];

/** Labels, as often as they are wanted: always the same bytes. */
export const labelRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store }) => {
  const personal = (scopes: ReadonlySet<string>): void => {
    if (!scopes.has('personal:read')) throw new Problem('forbidden', 'a label names its receiver: this key lacks the scope personal:read');
  };

  app.get('/v1/fulfillment-orders/:id/label', {
    config: { scope: 'fulfillment:write' },
    schema: {
      summary: 'The label of a fulfillment order, to print it or print it again', tags, params: FulfillmentParams, response: { 200: label, ...problemResponses },
      description: 'Needs personal:read, too. The carrier\'s own label, else one drawn here. 409 while there is none yet. A key bound to a location sees its own.',
    },
  }, async (request, reply) => {
    personal(request.apiKey.scopes);
    const { type, bytes, waybillNo } = await fulfillmentLabel(store, request.params.id, request.apiKey.locationId, (facts) => drawLabel(facts.carrierName, facts.waybillNo, facts));
    return send(reply, type, bytes, waybillNo);
  });

  app.get('/v1/returns/:rma/label', {
    config: { scope: 'returns:write' },
    schema: { summary: 'The label by which a return comes back', tags, params: ReturnParams, response: { 200: label, ...problemResponses }, description: 'Needs personal:read, too. 409 where its carrier gave none.' },
  }, async (request, reply) => {
    personal(request.apiKey.scopes);
    const { type, bytes, waybillNo } = await returnLabel(store, request.params.rma, request.apiKey.locationId);
    return send(reply, type, bytes, waybillNo);
  });

  function send<R extends { header(name: string, value: string): { send(payload: Buffer): R } }>(reply: R, type: string, bytes: Buffer, waybillNo: string): R {
    reply.header('content-disposition', `inline; filename="${waybillNo.replace(/[^\w.-]/g, '_')}.${type.endsWith('pdf') ? 'pdf' : 'json'}"`);
    return reply.header('content-type', type).send(bytes);
  }
  return Promise.resolve();
};
