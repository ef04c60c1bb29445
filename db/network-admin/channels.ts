import type pg from 'pg';

/** Windows and horizon in seconds. `supplyHorizonS`: how far ahead incoming stock is sold, 0 not at all; `minLifeDays`: what a lot must have left. */
export type ChannelInput = {
  name: string; platform: string; intakeMode: 'strict' | 'accept'; currency: string; paymentWindowS: number; backorderWindowS: number; mergeWindowS: number; returnWindowS: number;
  supplyHorizonS?: number; minLifeDays?: number; acceptTimeoutS?: number; rerouteAfterS?: number; pickupReadyS?: number; pickupKeepDays?: number; depositRefundable?: boolean; active?: boolean;
};

/** Makes or changes a channel. */
export async function putChannel(pool: pg.Pool, code: string, c: ChannelInput): Promise<void> {
  await pool.query(
    `insert into channels (code, name, platform, intake_mode, currency, payment_window_s, backorder_window_s, merge_window_s, return_window_s, active, deposit_refundable, supply_horizon_s, min_life_days, accept_timeout_s, reroute_after_s, pickup_ready_s, pickup_keep_days)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) on conflict (code) do update set name = excluded.name, platform = excluded.platform, intake_mode = excluded.intake_mode,
       currency = excluded.currency, payment_window_s = excluded.payment_window_s, backorder_window_s = excluded.backorder_window_s, merge_window_s = excluded.merge_window_s,
       return_window_s = excluded.return_window_s, active = excluded.active, deposit_refundable = excluded.deposit_refundable, supply_horizon_s = excluded.supply_horizon_s,
       min_life_days = excluded.min_life_days, accept_timeout_s = excluded.accept_timeout_s, reroute_after_s = excluded.reroute_after_s,
       pickup_ready_s = excluded.pickup_ready_s, pickup_keep_days = excluded.pickup_keep_days`,
    [code, c.name, c.platform, c.intakeMode, c.currency, c.paymentWindowS, c.backorderWindowS, c.mergeWindowS, c.returnWindowS, c.active ?? true, c.depositRefundable ?? false, c.supplyHorizonS ?? 0, c.minLifeDays ?? 0,
      c.acceptTimeoutS ?? null, c.rerouteAfterS ?? null, c.pickupReadyS ?? 7_200, c.pickupKeepDays ?? 3]);
}
