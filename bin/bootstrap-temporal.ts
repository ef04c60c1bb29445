import { bootstrapTemporal } from '../runtime/temporal-bootstrap.ts';

const address = process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233';
const namespace = process.env['TEMPORAL_NAMESPACE'] ?? 'tributary';
await bootstrapTemporal(address, namespace);
console.log(`namespace ${namespace} and its search attributes are there`);
