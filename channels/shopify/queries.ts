/** The operations we send, by name; https://shopify.dev/docs/api/admin-graphql. */
export const ORDER = `query TributaryOrder($id: ID!) {
  order(id: $id) {
    id legacyResourceId name createdAt updatedAt processedAt cancelledAt currencyCode displayFinancialStatus displayFulfillmentStatus note customer { id }
    shippingAddress { name phone countryCodeV2 province city address1 address2 zip }
    totalShippingPriceSet { shopMoney { amount currencyCode } }
    lineItems(first: 250) { nodes { id sku title quantity currentQuantity unfulfilledQuantity originalUnitPriceSet { shopMoney { amount } } discountAllocations { allocatedAmountSet { shopMoney { amount } } } variant { id inventoryItem { id } } } }
    fulfillments(first: 100) { id trackingInfo { number company } }
    refunds(first: 50) { id createdAt note totalRefundedSet { shopMoney { amount } } refundLineItems(first: 250) { nodes { quantity lineItem { id } } } }
    returns(first: 50) { nodes { id status returnLineItems(first: 250) { nodes { ... on ReturnLineItem { quantity fulfillmentLineItem { lineItem { id } } } } } } }
  }
}`;

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

export const FULFILLMENT_ORDERS = `query TributaryFulfillmentOrders($id: ID!) {
  order(id: $id) {
    fulfillments(first: 100) { trackingInfo { number } }
    fulfillmentOrders(first: 50) { nodes { id status assignedLocation { location { id } } lineItems(first: 250) { nodes { id remainingQuantity lineItem { id } } } } }
  }
}`;

export const FULFILL = `mutation TributaryFulfill($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) { fulfillment { id } userErrors { field message } }
}`;

export const CANCEL = `mutation TributaryCancel($orderId: ID!, $note: String) {
  orderCancel(orderId: $orderId, reason: INVENTORY, restock: false, notifyCustomer: true, refundMethod: { originalPaymentMethodsRefund: true }, staffNote: $note) { job { id } orderCancelUserErrors { code field message } }
}`;
