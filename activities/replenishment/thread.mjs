// A thread does not inherit the loader of TypeScript from Node 20's main thread: it registers its own.
import { register } from 'tsx/esm/api';

register();
await import('./worker.ts');
