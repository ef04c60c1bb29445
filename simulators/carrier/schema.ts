const text = { type: 'string', minLength: 1 } as const;
const freeText = { type: 'string' } as const;

/** The body of `POST /v1/waybills`. More properties are let through: the protocol may grow. */
export const waybillSchema = {
  type: 'object',
  required: ['requestId', 'service', 'from', 'to', 'weightG'],
  properties: {
    requestId: text, service: text, weightG: { type: 'integer', minimum: 0 },
    cashOnDelivery: {
      type: 'object', required: ['amount', 'currency'],
      properties: { amount: { type: 'integer', minimum: 0 }, currency: { type: 'string', pattern: '^[A-Z]{3}$' } },
    },
    from: { type: 'object', required: ['city', 'province'], properties: { city: freeText, province: freeText } },
    to: {
      type: 'object', required: ['name', 'phone', 'country', 'province', 'city', 'street'],
      properties: {
        name: freeText, phone: freeText, country: text, province: freeText, city: freeText,
        district: freeText, street: freeText, postcode: freeText,
      },
    },
  },
} as const;

export const cancelSchema = { type: 'object', required: ['reason'], properties: { reason: freeText } } as const;

export const interceptSchema = {
  type: 'object', required: ['requestId', 'reason'], properties: { requestId: text, reason: freeText },
} as const;

export const pickupSchema = { type: 'object', properties: { weightG: { type: 'integer', minimum: 0 } } } as const;
