import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** What operators filter by in the Temporal UI; few, typed, no personal data. Registered by the bootstrap. */
export const OrderStatusKey = defineSearchAttributeKey('OrderStatus', SearchAttributeType.KEYWORD);
export const ChannelKey = defineSearchAttributeKey('Channel', SearchAttributeType.KEYWORD);
export const LocationKey = defineSearchAttributeKey('Location', SearchAttributeType.KEYWORD_LIST);
export const PromiseByKey = defineSearchAttributeKey('PromiseBy', SearchAttributeType.DATETIME);
export const HoldReasonKey = defineSearchAttributeKey('HoldReason', SearchAttributeType.KEYWORD);
