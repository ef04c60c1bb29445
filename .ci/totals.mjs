// What `.ci/run` says of vitest's JSON reports.
//   failed-files REPORT MOST          the files with failures, by one space each; nothing when there are none or more than MOST, or when something failed outside of any file (lint)
//   totals REPORT STATUS [SECOND [OUTSIDE]]   each error outside of any test (a line of OUTSIDE, by outside.mjs), each failure in short, each test that failed at first and passed in the second run as "unsteady", then "N passed, N failed"; exits 0 only when all is green
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

/** A file that could not be loaded has no failed test in it: it counts as one failure. @param {string | undefined} path @returns {{ file: string, passed: number, failures: { name: string, message: string }[] }[]} */
function read(path) {
  const text = path !== undefined && existsSync(path) ? readFileSync(path, 'utf8') : '';
  if (text === '') return [];
  return JSON.parse(text).testResults.map((file) => {
    const failed = file.assertionResults.filter((test) => test.status === 'failed').map((test) => ({ name: test.fullName, message: (test.failureMessages ?? []).join('\n') }));
    return {
      file: relative(process.cwd(), file.name),
      passed: file.assertionResults.filter((test) => test.status === 'passed').length,
      failures: failed.length === 0 && file.status === 'failed' ? [{ name: '(the file)', message: file.message ?? '' }] : failed,
    };
  });
}

const failing = (files) => files.filter((f) => f.failures.length > 0);
const inShort = (message) => message.split('\n').map((line) => line.trim()).filter((line) => line !== '').slice(0, 3).join(' | ').slice(0, 400);

const [command, report, argument, second, outside] = process.argv.slice(2);
const first = read(report);
if (command === 'failed-files') {
  const files = failing(first).map((f) => f.file);
  if (files.length <= Number(argument)) console.log(files.join(' '));
} else {
  const repeated = new Map(read(second).map((f) => [f.file, f]));
  const final = first.map((f) => (f.failures.length > 0 ? repeated.get(f.file) : undefined) ?? f);
  for (const f of failing(first)) {
    for (const { name, message } of f.failures) {
      const again = repeated.get(f.file);
      const unsteady = again !== undefined && !again.failures.some((x) => x.name === name || x.name === '(the file)');
      console.log(`${unsteady ? 'unsteady' : 'FAILED'}: ${f.file} > ${name}: ${inShort(message)}`);
    }
  }
  for (const f of failing(final)) if (repeated.get(f.file) === f) for (const { name, message } of f.failures) console.log(`FAILED again or anew: ${f.file} > ${name}: ${inShort(message)}`);
  const beside = outside !== undefined && existsSync(outside) ? readFileSync(outside, 'utf8').split('\n').filter((line) => line !== '') : [];
  for (const error of beside) console.log(`FAILED outside of any test: ${error}`);
  const passed = final.reduce((n, f) => n + f.passed, 0);
  let failed = failing(final).reduce((n, f) => n + f.failures.length, beside.length);
  // lint, or what no report names, failed: the line must not look green
  if (Number(argument) !== 0 && failed === 0 && failing(first).length === 0) failed = 1;
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(passed + failed > 0 && failed === 0 ? 0 : 1);
}
