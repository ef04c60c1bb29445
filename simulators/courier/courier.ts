/** What happens to a parcel, in the simulators' own words; each protocol turns them into its codes. */
export type CourierStep = 'picked_up' | 'in_transit' | 'customs' | 'out_for_delivery' | 'ready_for_pickup' | 'attempt_failed' | 'exception' | 'returning' | 'returned' | 'delivered';
export type Route = { id: string; step: CourierStep; at: number; place: string; remark: string };
/** `orderId`: under which it was asked for. `followed`: somebody wants to be told of it; `extra`: what a protocol remembers. */
export type CourierParcel = { no: string; carrier: string; orderId: string | null; status: 'issued' | 'cancelled' | CourierStep; routes: Route[]; followed: boolean; extra: Record<string, unknown> };
/** `gaveUp`: nothing new, but that nobody looks after the parcel any more. */
export type CourierEvent = { id: string; parcel: CourierParcel; route: Route; gaveUp?: true };

export type CourierFaults = {
  /** pushes are sent this often each (1: once) */
  copies: number;
  shuffle: boolean;
  dropPushes: boolean;
  /** so many calls that write are carried out and not answered */
  nextTimeouts: number;
  /** so many calls are answered with its own word for "too fast" */
  nextThrottled: number;
  /** every call fails */
  down: boolean;
};
export const NO_FAULTS: CourierFaults = { copies: 1, shuffle: false, dropPushes: false, nextTimeouts: 0, nextThrottled: 0, down: false };

const REMARKS: Record<CourierStep, string> = {
  picked_up: '已揽收', in_transit: '快件到达 中转场', customs: '清关中', out_for_delivery: '派送中,派件员:王小二 13800138000', ready_for_pickup: '已放入快递柜', attempt_failed: '派送不成功', exception: '快件异常',
  returning: '快件退回中', returned: '退件已签收', delivered: '已签收,签收人:张三',
};

/** The parcels of a carrier, tracker or waybill service, as any protocol needs them. */
export class Courier {
  readonly parcels = new Map<string, CourierParcel>();
  readonly byOrder = new Map<string, CourierParcel>();
  readonly listeners: ((event: CourierEvent) => void)[] = [];
  /** by request, what was answered: for protocols that repeat an answer */
  readonly done = new Map<string, unknown>();
  readonly clock: () => number;
  #next = 1;
  #last = 0;

  constructor(clock: () => number) { this.clock = clock; }

  /** Strictly growing by whole seconds: protocols tell time in seconds. */
  now(): number { return (this.#last = Math.max(this.#last + 1000, Math.floor(this.clock() / 1000) * 1000)); }
  serial(): number { return this.#next++; }

  issue(prefix: string, carrier: string, orderId: string | null, extra: Record<string, unknown> = {}): CourierParcel {
    return this.know(`${prefix}${String(7_444_000_000_000 + this.serial())}`, carrier, orderId, extra);
  }

  /** A parcel that is there, under somebody's number. */
  know(no: string, carrier: string, orderId: string | null = null, extra: Record<string, unknown> = {}): CourierParcel {
    const parcel: CourierParcel = { no, carrier, orderId, status: 'issued', routes: [], followed: false, extra };
    this.parcels.set(no, parcel);
    if (orderId !== null) this.byOrder.set(orderId, parcel);
    return parcel;
  }

  parcel(no: string): CourierParcel {
    const parcel = this.parcels.get(no);
    if (!parcel) throw new Error(`parcel ${no} does not exist`);
    return parcel;
  }

  /** Nothing has been heard of it for too long: it is told of no more, until somebody asks again. */
  giveUp(no: string): void {
    const parcel = this.parcel(no);
    parcel.extra['stoppedAt'] = this.clock();
    const id = `${no}-stopped-${this.serial()}`;
    const route = parcel.routes.at(-1) ?? { id, step: 'in_transit', at: this.now(), place: '', remark: '' };
    for (const listener of this.listeners) listener({ id, parcel, route, gaveUp: true });
  }

  move(no: string, step: CourierStep): Route {
    const parcel = this.parcel(no);
    const route = { id: `${no}-${parcel.routes.length + 1}`, step, at: this.now(), place: '上海市', remark: REMARKS[step] };
    parcel.routes.push(route);
    parcel.status = step;
    for (const listener of this.listeners) listener({ id: route.id, parcel, route });
    return route;
  }
}
