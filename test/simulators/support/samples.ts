const shipTo = {
  name: '王小明', phone: '13800000000', country: 'CN', province: '浙江省', city: '杭州市', street: '文三路 1 号',
};

/** An intake as the protocol shows it. */
export function intake(id: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    fulfillmentOrderId: id, orderId: `ord_${id}`, locationCode: 'SH-01', priority: 5, shipBy: '2026-05-01T10:00:00.000Z', shipTo,
    lines: [{ lineNo: 1, sku: 'TEE-M', quantity: 2 }, { lineNo: 2, sku: 'CAP', quantity: 1 }],
    ...more,
  };
}

export function waybillRequest(requestId: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    requestId, service: 'standard', from: { city: '上海市', province: '上海' }, to: shipTo, weightG: 800, ...more,
  };
}
