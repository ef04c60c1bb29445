// A reporter that writes down errors outside of any test, which vitest's JSON report leaves out: a line each, into the file TRIBUTARY_OUTSIDE.
import { appendFileSync } from 'node:fs';

export default class Outside {
  onTestRunEnd(_modules, errors) {
    for (const error of errors) appendFileSync(process.env.TRIBUTARY_OUTSIDE, `${String(error.message ?? error).split('\n')[0].slice(0, 400)}\n`);
  }
}
