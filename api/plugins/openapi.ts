import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import fp from 'fastify-plugin';
import { webhookDocument } from '../webhooks/openapi.ts';

/** OpenAPI 3.1 from the schemas, browsable at /docs. */
export const openapi = fp(async (app) => {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Tributary', version: '1.0.0',
        description: 'Omnichannel order management. Money is in minor units, times are ISO 8601, quantities in the base unit of the SKU. Errors are problem details (RFC 9457).',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'a scoped API key' } } },
      security: [{ key: [] }],
      // The types of the library are those of OpenAPI 3.0, which has no null among its types.
      webhooks: webhookDocument as never,
    },
  });
  await app.register(swaggerUi, { routePrefix: '/docs', uiConfig: { persistAuthorization: true, docExpansion: 'none' } });
}, { name: 'openapi' });
