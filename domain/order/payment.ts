import { Problem } from '../problem.ts';
import type { OrderIntake, PaymentStatus } from './intake.ts';

const DUE: ReadonlySet<string> = new Set<PaymentStatus>(['unpaid', 'deposit']);
/** The same as SQL, for a column of that name. */
export const PAYMENT_DUE = `('unpaid', 'deposit')`;

/** Something is still to be paid before the order goes on: all of it, or the balance (尾款) of a pre-sale. */
export function isPaymentDue(status: string): boolean { return DUE.has(status); }

/**
 * Until when an order must be paid: the date of the balance, else the channel's payment window; null when nothing is due.
 * Throws Problem `unprocessable` where deposit and balance do not fit the status, the total (minor units) or the moment.
 */
export function paymentDueAt(payment: OrderIntake['payment'], total: number, now: Date, windowS: number): Date | null {
  const { status, deposit, balanceDueAt } = payment;
  if (status !== 'deposit') {
    if (deposit !== undefined) throw new Problem('unprocessable', `a payment that is ${status} has no deposit`, '/payment/deposit');
    if (balanceDueAt !== undefined) throw new Problem('unprocessable', `a payment that is ${status} has no balance`, '/payment/balanceDueAt');
    return status === 'unpaid' ? new Date(now.getTime() + windowS * 1000) : null;
  }
  if (deposit === undefined) throw new Problem('unprocessable', 'say how much the deposit is', '/payment/deposit');
  if (balanceDueAt === undefined) throw new Problem('unprocessable', 'say until when the balance must be paid', '/payment/balanceDueAt');
  if (deposit < 1 || deposit >= total) throw new Problem('unprocessable', `a deposit of ${deposit} leaves no balance of a total of ${total}: it lies between 1 and ${total - 1}`, '/payment/deposit');
  const due = new Date(balanceDueAt);
  if (!(due > now)) throw new Problem('unprocessable', 'the balance would be due in the past', '/payment/balanceDueAt');
  return due;
}
