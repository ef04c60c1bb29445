import type { FastifyInstance } from 'fastify';
import type { Courier, CourierEvent, CourierFaults, CourierStep } from './courier.ts';

export type BadPush = 'forged' | 'stale' | 'truncated';
export type PushRequest = { headers: Record<string, string>; body: string };
export type CourierHost = { courier: Courier; faults: CourierFaults; settings: Readonly<Record<string, unknown>>; clock: () => number; counts: Record<string, number>; url: () => string };

/** The protocol of one carrier or tracker. Signing is written anew here, never taken from the connector. */
export type CourierProtocol = {
  routes(app: FastifyInstance, host: CourierHost): void;
  /** One push for these events; null: nothing is pushed for them (nobody follows the parcel). `bad`: spoilt in this way; `at`: when it was signed. */
  push(events: readonly CourierEvent[], host: CourierHost, options: { bad?: BadPush; at?: number }): PushRequest | null;
  /** most events in one push */
  batch: number;
  acknowledged(status: number, body: string): boolean;
  /** waits before each further try, ms */
  retries: readonly number[];
  deadlineMs: number;
  /** its code for a step; null: it has none */
  word(step: CourierStep): string | null;
  /** every token that was given ends now */
  expireTokens?(host: CourierHost): void;
};
