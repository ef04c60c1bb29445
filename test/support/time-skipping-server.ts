import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from '../../bin/embedded/process.ts';
import { cacheDirectory, runDirectoryVariable } from './shared-server.ts';

/** The release on Maven Central whose behaviour was checked against this SDK (DESIGN 6). */
const version = '1.38.0';

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tributary</groupId><artifactId>test-server</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency>
    <groupId>io.temporal</groupId><artifactId>temporal-test-server</artifactId><version>${version}</version>
  </dependency><dependency>
    <groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version>
  </dependency></dependencies>
</project>
`;

// The record lets global-setup.ts stop a server whose test process was killed.
const wrapper = `#!/bin/sh
if [ -d "$${runDirectoryVariable}/servers" ]; then echo "{\\"pid\\":$$}" > "$${runDirectoryVariable}/servers/time-skipping-$$.json"; fi
exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$(dirname "$0")/lib/*" io.temporal.testserver.TestServer "$@"
`;

/** Where the wrapper lies once it is made. */
export const wrapperPath = (): string => join(cacheDirectory(), `test-server-${version}`, 'temporal-test-server');

/**
 * Makes a program of `io.temporal:temporal-test-server` and its libraries, fetched by Maven; once per machine.
 * @returns the path of the wrapper, for `executable: { type: 'existing-path', path }`
 * @throws Error when java (11 or newer) or mvn is missing, or Maven cannot fetch it
 */
export async function mavenTestServer(): Promise<string> {
  const path = wrapperPath();
  if (existsSync(path)) return path;
  const cache = cacheDirectory();
  mkdirSync(cache, { recursive: true });
  return withLock(join(cache, 'test-server.lock'), 170_000, async () => {
    if (existsSync(path)) return path;
    const staging = mkdtempSync(join(cache, 'test-server-'));
    try {
      writeFileSync(join(staging, 'pom.xml'), pom);
      const mvn = process.platform === 'win32' ? 'mvn.cmd' : 'mvn';
      await promisify(execFile)(mvn, ['-q', '-B', 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${join(staging, 'lib')}`], { cwd: staging });
      writeFileSync(join(staging, 'temporal-test-server'), wrapper, { mode: 0o755 });
      chmodSync(staging, 0o755);
      renameSync(staging, join(path, '..'));
    } finally {
      rmSync(staging, { recursive: true, force: true });
    }
    return path;
  });
}
