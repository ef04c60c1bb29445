import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { ApiDeps } from './deps.ts';
import { actionRoutes } from './orders/actions.ts';
import { batchRoutes } from './orders/batch.ts';
import { captureRoutes } from './orders/capture.ts';
import { importRoutes } from './orders/import.ts';
import { orderCommandRoutes } from './orders/commands.ts';
import { orderReadRoutes } from './orders/read.ts';
import { fulfillmentRoutes } from './fulfillment/routes.ts';
import { refundRoutes } from './returns/refunds.ts';
import { redistributionRoutes } from './redistribution/routes.ts';
import { returnRoutes } from './returns/routes.ts';
import { networkRoutes } from './network/routes.ts';
import { ruleRoutes } from './rules/routes.ts';
import { stockRoutes } from './stock/routes.ts';
import { snapshotRoutes } from './snapshots/routes.ts';
import { recountRoutes } from './snapshots/recounts.ts';
import { declarationRoutes } from './declarations/routes.ts';
import { allotmentRoutes } from './allotments/routes.ts';
import { reservationRoutes } from './reservations/routes.ts';
import { lotRoutes } from './lots/routes.ts';
import { componentRoutes } from './network/components.ts';
import { claimRoutes } from './claims/routes.ts';
import { shortageRoutes } from './shortages/routes.ts';
import { settlementRoutes } from './settlements/routes.ts';
import { pickupRoutes } from './pickup/routes.ts';
import { supplyRoutes } from './supplies/routes.ts';
import { routingRoutes } from './routing/routes.ts';
import { waveRoutes } from './routing/waves.ts';
import { decisionRoutes } from './routing/decisions.ts';
import { policyRoutes } from './policies/routes.ts';
import { demandRoutes } from './demand/routes.ts';
import { preferenceRoutes } from './preferences/routes.ts';
import { replenishmentRoutes } from './replenishment/routes.ts';
import { purchaseRoutes } from './purchases/routes.ts';
import { forecastRoutes } from './forecasts/routes.ts';
import { promiseRoutes } from './promise/routes.ts';
import { ladderRoutes } from './promise/ladders.ts';
import { orderPromiseRoutes } from './promise/orders.ts';
import { closedDayRoutes } from './network/closed-days.ts';
import { substituteRoutes } from './network/substitutes.ts';
import { hookRoutes } from './channels/hooks.ts';
import { carrierAccountRoutes } from './carriers/accounts.ts';
import { exceptionRoutes } from './carriers/exceptions.ts';
import { carrierHookRoutes } from './carriers/hooks.ts';
import { labelRoutes } from './carriers/labels.ts';
import { milestoneRoutes } from './carriers/milestones.ts';
import { listingRoutes } from './channels/listings.ts';
import { channelOrderRoutes } from './channels/orders.ts';
import { shopRoutes } from './channels/shops.ts';
import { dealerFileRoutes } from './dealer-files/routes.ts';
import { indicatorRoutes } from './indicators/routes.ts';
import { keyRoutes } from './keys/routes.ts';
import { partnerRoutes } from './partners/routes.ts';
import { sharingRoutes } from './sharing/routes.ts';
import { measureRoutes } from './measures/routes.ts';
import { stopRoutes } from './stops/routes.ts';
import { tillRoutes } from './tills/routes.ts';
import { slowMoverRoutes } from './slow-movers/routes.ts';
import { transferRoutes } from './transfers/routes.ts';
import { availabilityRoutes } from './availability/routes.ts';
import { canaryRoutes } from './policies/canary.ts';
import { messageRoutes } from './messages/routes.ts';
import { priceBookRoutes } from './promotions/price-book.ts';
import { promotionRoutes } from './promotions/routes.ts';
import { messengerRoutes } from './messages/messengers.ts';
import { webhookRoutes } from './webhooks/routes.ts';
import { simulationRoutes } from './simulations/routes.ts';
import { campaignRoutes } from './campaigns/routes.ts';
import { segmentRoutes } from './segments/routes.ts';

/** Every resource of the API; a new one is a folder and a line here. */
export const routes: FastifyPluginAsyncTypebox<ApiDeps>[] = [
  captureRoutes,
  batchRoutes,
  keyRoutes,
  stockRoutes,
  ruleRoutes,
  networkRoutes,
  actionRoutes,
  importRoutes,
  partnerRoutes,
  orderReadRoutes,
  orderCommandRoutes,
  returnRoutes,
  refundRoutes,
  claimRoutes,
  shortageRoutes,
  supplyRoutes,
  pickupRoutes,
  settlementRoutes,
  routingRoutes,
  waveRoutes,
  demandRoutes,
  forecastRoutes,
  preferenceRoutes,
  replenishmentRoutes,
  purchaseRoutes,
  promiseRoutes,
  ladderRoutes,
  orderPromiseRoutes,
  substituteRoutes,
  closedDayRoutes,
  policyRoutes,
  canaryRoutes,
  decisionRoutes,
  fulfillmentRoutes,
  snapshotRoutes,
  recountRoutes,
  declarationRoutes,
  allotmentRoutes,
  reservationRoutes,
  lotRoutes,
  componentRoutes,
  sharingRoutes,
  availabilityRoutes,
  hookRoutes,
  carrierHookRoutes,
  carrierAccountRoutes,
  labelRoutes,
  milestoneRoutes,
  exceptionRoutes,
  shopRoutes,
  listingRoutes,
  channelOrderRoutes,
  dealerFileRoutes,
  stopRoutes,
  tillRoutes,
  measureRoutes,
  simulationRoutes,
  messageRoutes,
  messengerRoutes,
  webhookRoutes,
  transferRoutes,
  slowMoverRoutes,
  redistributionRoutes,
  indicatorRoutes,
  promotionRoutes,
  priceBookRoutes,
  campaignRoutes,
  segmentRoutes,
];
