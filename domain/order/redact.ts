/**
 * What a carrier writes for people, without the people: telephone numbers (7 digits and more, however they are grouped) and who signed become `***`. The text is kept outside the vault, so
 * it may not name anybody. The parcel's own number stays.
 */
export function withoutPeople(text: string, waybillNo: string): string {
  const numbers = text.replace(/\+?\d(?:[\d -]{5,}\d)/g, (found) => (found.replace(/\D/g, '').length < 7 || waybillNo.includes(found) ? found : '***'));
  return numbers.replace(/((?:签收人|收件人|派件员|快递员|业务员|代签人|取件人|小哥|联系人|signed (?:for )?by|courier|driver)\s*[:：【[（(]?\s*)([^\s,，。;；、:：】\])）【[（(]+)/gi, '$1***');
}
