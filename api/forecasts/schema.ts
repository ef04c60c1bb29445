import { Type } from '@sinclair/typebox';

const closed = { additionalProperties: false } as const;
/** A body within these is answered in well under a second. */
export const MOST_PERIODS = 1_000;

// Fewer units than 0, too few periods and quantiles outside (0, 1) are told with their reason by the domain, not as a bound of the schema.
export const ForecastQuestionSchema = Type.Object({
  history: Type.Array(Type.Object({
    units: Type.Number({ maximum: 1_000_000_000, description: 'sold, net of cancels and returns; 0 or more' }),
    stockedOut: Type.Optional(Type.Boolean({ description: 'stock was out for some of the period: demand was at least `units`' })),
    promoted: Type.Optional(Type.Boolean({ description: 'the price was reduced, or the SKU was advertised' })),
  }, closed), { maxItems: MOST_PERIODS, description: 'periods of one kind, oldest first, none left out' }),
  horizon: Type.Optional(Type.Integer({ minimum: 1, maximum: 104, default: 1, description: 'periods ahead' })),
  quantiles: Type.Optional(Type.Array(Type.Number(), { minItems: 1, maxItems: 50, default: [0.1, 0.25, 0.5, 0.75, 0.9, 0.95], description: 'rising, each above 0 and below 1' })),
  season: Type.Optional(Type.Integer({ minimum: 1, maximum: 366, default: 1, description: 'periods of a cycle: 7 for days of a week, 52 for weeks of a year' })),
  promoted: Type.Optional(Type.Array(Type.Boolean(), { maxItems: 104, description: 'which of the coming periods are promoted' })),
}, { ...closed, title: 'ForecastQuestion' });

const Loss = Type.Number({ minimum: 0, description: 'mean pinball loss over the quantiles, one period ahead, in units' });
export const ForecastSchema = Type.Object({
  method: Type.String(), source: Type.String({ description: 'where the method comes from' }),
  pattern: Type.String({ description: 'none, smooth, erratic, intermittent or lumpy' }),
  backtest: Type.Object({
    origins: Type.Integer({ description: 'past moments at which the methods were tried; 0: the history is too short for a trial' }), loss: Loss,
    methods: Type.Array(Type.Object({ method: Type.String(), loss: Loss })),
  }),
  estimated: Type.Integer({ description: 'periods without stock whose demand was estimated' }), uplift: Type.Number({ description: 'demand of a promoted period ÷ that of a plain one' }),
  periods: Type.Array(Type.Object({ mean: Type.Number(), quantiles: Type.Array(Type.Number()) }), { description: 'one a period ahead, in the order of the quantiles asked for' }),
});
