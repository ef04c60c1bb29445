import fp from 'fastify-plugin';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { errorCode, isUnreachable } from '../../db/stock-writer.ts';
import { Problem } from '../../domain/problem.ts';

type Invalid = { instancePath: string; keyword: string; message?: string; params: Record<string, unknown> };

/** Answers every error as problem details (RFC 9457): what, where, how to mend. */
export const problems = fp((app, _options, done) => {
  app.setErrorHandler(answerProblem);
  app.setNotFoundHandler((request, reply) => send(new Problem('not_found', `${request.method} ${request.url.split('?', 1)[0] ?? ''} is not there; /docs lists what is`), request, reply));
  done();
}, { name: 'problems' });

/** Answers an error, also one that comes before there is a route (a URL that cannot be read). */
export function answerProblem(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toProblem(error);
  // A refusal under load is counted (metrics, by status), not written down: a line for each would cost more than the answer.
  if (problem.status >= 500 && problem.code !== 'saturated') request.log.error({ err: error }, problem.message);
  return send(problem, request, reply);
}

function send(problem: Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { retryAfter, ...extra } = problem.extra;
  if (typeof retryAfter === 'number') void reply.header('retry-after', retryAfter);
  return reply.code(problem.status).type('application/problem+json').serializer(JSON.stringify).send({
    type: `/problems/${problem.code}`, title: problem.title, status: problem.status, detail: problem.message, code: problem.code,
    ...(problem.field === null ? {} : { field: problem.field }), instance: `/requests/${request.id}`, ...extra,
  });
}

/** The field a schema error is about, as a JSON pointer, with the name of a missing or unknown property. */
export function fieldOf(error: Invalid): string {
  const name = error.params['missingProperty'] ?? error.params['additionalProperty'];
  return typeof name === 'string' ? `${error.instancePath}/${name}` : error.instancePath || '/';
}

export function reasonOf(error: Invalid): string {
  const field = fieldOf(error);
  if (error.keyword === 'required') return `${field} is missing`;
  if (error.keyword === 'additionalProperties') return `${field} is not known here; leave it out`;
  if (error.keyword === 'enum') return `${field} must be one of ${JSON.stringify(error.params['allowedValues'])}`;
  return `${field} ${error.message ?? 'is wrong'}`;
}

/** Any thrown value as the problem a client should see; what is not a client's fault says nothing of our inside. */
export function toProblem(error: Error & { validation?: unknown; validationContext?: string; statusCode?: number }): Problem {
  if (error instanceof Problem) return error;
  if (Array.isArray(error.validation)) {
    const first = error.validation[0] as Invalid;
    const where = error.validationContext === 'body' ? '' : `/${error.validationContext ?? ''}`;
    return new Problem('invalid', reasonOf(first), `${where}${fieldOf(first)}`);
  }
  switch (errorCode(error)) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE': return new Problem('body_too_large', 'the body is over the limit; send large numbers of orders to /v1/orders/import');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE': return new Problem('unsupported_media_type', 'send application/json', '/headers/Content-Type');
    case 'FST_ERR_CTP_EMPTY_JSON_BODY': return new Problem('malformed', 'the body is empty; JSON is needed');
    case 'FST_ERR_CTP_INVALID_JSON_BODY': case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH': return new Problem('malformed', 'the body is no valid JSON');
    default:
  }
  if (isUnreachable(error)) return new Problem('unavailable', 'the database cannot be reached; send the same request again', null, { retryAfter: 2 });
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) return new Problem('malformed', error.message);
  return new Problem('internal', 'the request failed here; the request id finds it in the log');
}
