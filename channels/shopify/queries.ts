/**
 * The operations we send, by name; https://shopify.dev/docs/api/admin-graphql. A query may cost 1,000 points (each object 1, a connection as many of its nodes as `first` says), so first pages are small and the
 * next ones are asked for by themselves. Lists without a cursor (fulfillments, refunds) are asked for again, whole, where the small one is full.
 */
export const FEW_FULFILLMENTS = 20;
export const FEW_REFUNDS = 10;
const PAGE_INFO = 'pageInfo { hasNextPage endCursor }';
const LINE = `id sku title quantity currentQuantity originalUnitPriceSet { shopMoney { amount } } discountAllocations { allocatedAmountSet { shopMoney { amount } } } variant { id inventoryItem { id } }`;
const FULFILLMENT = 'id status trackingInfo(first: 2) { number company }';

export const ORDER = `query TributaryOrder($id: ID!) {
  order(id: $id) {
    id legacyResourceId name createdAt updatedAt processedAt cancelledAt test currencyCode displayFinancialStatus displayFulfillmentStatus note customer { id }
    shippingAddress { name phone countryCodeV2 province city address1 address2 zip }
    totalShippingPriceSet { shopMoney { amount currencyCode } }
    lineItems(first: 15) { nodes { ${LINE} } ${PAGE_INFO} }
    fulfillments(first: ${FEW_FULFILLMENTS}) { ${FULFILLMENT} }
    refunds(first: ${FEW_REFUNDS}) { id }
    returns(first: 5) { nodes { id } ${PAGE_INFO} }
  }
}`;
export const LINES = `query TributaryLines($id: ID!, $after: String) { order(id: $id) { lineItems(first: 100, after: $after) { nodes { ${LINE} } ${PAGE_INFO} } } }`;
export const FULFILLMENTS = `query TributaryFulfillments($id: ID!) { order(id: $id) { fulfillments(first: 250) { ${FULFILLMENT} } } }`;
export const FULFILLMENT_LINES = `query TributaryFulfillmentLines($id: ID!, $after: String) { fulfillment(id: $id) { fulfillmentLineItems(first: 100, after: $after) { nodes { quantity lineItem { id } } ${PAGE_INFO} } } }`;
export const REFUNDS = 'query TributaryRefunds($id: ID!) { order(id: $id) { refunds(first: 250) { id } } }';
export const REFUND = `query TributaryRefund($id: ID!, $after: String) {
  refund(id: $id) { id createdAt note totalRefundedSet { shopMoney { amount } } refundLineItems(first: 100, after: $after) { nodes { quantity lineItem { id } } ${PAGE_INFO} } }
}`;
export const RETURNS = `query TributaryReturns($id: ID!, $after: String) { order(id: $id) { returns(first: 100, after: $after) { nodes { id } ${PAGE_INFO} } } }`;
export const RETURN = `query TributaryReturn($id: ID!, $after: String) {
  return(id: $id) { id status returnLineItems(first: 100, after: $after) { nodes { ... on ReturnLineItem { quantity fulfillmentLineItem { lineItem { id } } } } ${PAGE_INFO} } }
}`;

/** Of which order something is that does not say it itself. */
export const ORDER_OF = (kind: 'return' | 'fulfillmentOrder'): string => `query TributaryOrderOf($id: ID!) { ${kind}(id: $id) { order { legacyResourceId } } }`;

export const CHANGED = `query TributaryChanged($query: String!, $after: String) {
  orders(first: 100, after: $after, query: $query, sortKey: UPDATED_AT) { nodes { legacyResourceId updatedAt } pageInfo { hasNextPage endCursor } }
}`;

export const STOCK = `query TributaryStock($ids: [ID!]!, $location: ID!) {
  nodes(ids: $ids) { ... on InventoryItem { id variant { id } inventoryLevel(locationId: $location) { quantities(names: ["available", "committed"]) { name quantity } } } }
}`;

/** @idempotent is mandatory from 2026-04; changeFromQuantity took the place of compareQuantity with 2026-01. */
export const SET_STOCK = `mutation TributarySetStock($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) { inventoryAdjustmentGroup { id } userErrors { code field message } }
}`;

const FULFILLMENT_ORDER_LINE = 'id remainingQuantity lineItem { id }';
export const FULFILLMENT_ORDERS = `query TributaryFulfillmentOrders($id: ID!, $after: String) {
  order(id: $id) { fulfillmentOrders(first: 10, after: $after) { nodes { id status assignedLocation { location { id } } lineItems(first: 15) { nodes { ${FULFILLMENT_ORDER_LINE} } ${PAGE_INFO} } } ${PAGE_INFO} } }
}`;
export const FULFILLMENT_ORDER_LINES = `query TributaryFulfillmentOrderLines($id: ID!, $after: String) { fulfillmentOrder(id: $id) { lineItems(first: 100, after: $after) { nodes { ${FULFILLMENT_ORDER_LINE} } ${PAGE_INFO} } } }`;

export const FULFILL = `mutation TributaryFulfill($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) { fulfillment { id } userErrors { field message } }
}`;

/** The units go back to what it may sell: we count on it (`restores`). */
export const CANCEL = `mutation TributaryCancel($orderId: ID!, $note: String) {
  orderCancel(orderId: $orderId, reason: INVENTORY, restock: true, notifyCustomer: true, refundMethod: { originalPaymentMethodsRefund: true }, staffNote: $note) { job { id } orderCancelUserErrors { code field message } }
}`;
