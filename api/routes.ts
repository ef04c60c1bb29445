import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { ApiDeps } from './deps.ts';
import { captureRoutes } from './orders/capture.ts';
import { importRoutes } from './orders/import.ts';
import { partnerRoutes } from './partners/routes.ts';

/** Every resource of the API; a new one is a folder and a line here. */
export const routes: FastifyPluginAsyncTypebox<ApiDeps>[] = [captureRoutes, importRoutes, partnerRoutes];
