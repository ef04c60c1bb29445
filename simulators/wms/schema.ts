const text = { type: 'string', minLength: 1 } as const;
const freeText = { type: 'string' } as const;
const time = { type: 'string', format: 'date-time' } as const;

/** The body of `POST /v1/fulfillment-orders`. More properties are let through: the protocol may grow. */
export const intakeSchema = {
  type: 'object',
  required: ['fulfillmentOrderId', 'orderId', 'locationCode', 'priority', 'shipBy', 'shipTo', 'lines'],
  properties: {
    fulfillmentOrderId: text, orderId: text, locationCode: text,
    priority: { type: ['integer', 'string'] },
    shipBy: time, scheduledFrom: time, carrier: text, waybillNo: text,
    cashOnDelivery: {
      type: 'object', required: ['amount', 'currency'],
      properties: { amount: { type: 'integer', minimum: 0 }, currency: { type: 'string', pattern: '^[A-Z]{3}$' } },
    },
    shipTo: {
      type: 'object', required: ['name', 'phone', 'country', 'province', 'city', 'street'],
      properties: {
        name: freeText, phone: freeText, country: text, province: freeText, city: freeText,
        district: freeText, street: freeText, postcode: freeText,
      },
    },
    lines: {
      type: 'array', minItems: 1,
      items: {
        type: 'object', required: ['lineNo', 'sku', 'quantity'],
        properties: { lineNo: { type: 'integer' }, sku: text, quantity: { type: 'integer', minimum: 1 }, gift: { type: 'boolean' } },
      },
    },
    pickup: { type: 'object', required: ['way', 'readyBy'], properties: { way: text, readyBy: time } }, onBehalfOf: freeText, buyerRemark: freeText, sellerRemark: freeText,
  },
} as const;

export const remindSchema = { type: 'object', required: ['rerouteAt'], properties: { rerouteAt: time } } as const;

export const cancelSchema = { type: 'object', required: ['reason'], properties: { reason: freeText } } as const;
