/**
 * proposed → approved → sent to the vendor (announced as a supply) → partly_received → received (nothing more comes) → closed; cancelled until it is sent, and after that
 * with its supply.
 */
export const PURCHASE_STATUSES = ['proposed', 'approved', 'sent', 'partly_received', 'received', 'closed', 'cancelled'] as const;
export type PurchaseStatus = (typeof PURCHASE_STATUSES)[number];

const NEXT: Record<PurchaseStatus, readonly PurchaseStatus[]> = {
  proposed: ['approved', 'cancelled'], approved: ['sent', 'cancelled'], sent: ['partly_received', 'received', 'cancelled'], partly_received: ['received', 'cancelled'], received: ['closed'], closed: [], cancelled: [],
};

/** Whether a purchase order may go from one status to another. */
export const mayPurchase = (from: PurchaseStatus, to: PurchaseStatus): boolean => NEXT[from].includes(to);
