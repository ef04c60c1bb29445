import { setTimeout as delay } from 'node:timers/promises';
import { isGrpcServiceError } from '@temporalio/client';
import { loadConfig } from '../runtime/config.ts';
import { connectTemporal } from '../runtime/temporal-client.ts';

const WAIT_MS = Number(process.env['PROMOTE_WAIT_MS'] ?? 60_000);
const config = loadConfig({ DATABASE_URL: 'postgres://unused/unused', VAULT_KEY: Buffer.alloc(32).toString('base64'), ...process.env });
const buildId = process.argv[2] ?? config.buildId;
if (buildId === undefined) {
  console.error('usage: npm run promote -- BUILD_ID   (or set BUILD_ID)');
  process.exit(2);
}
const connection = await connectTemporal(config.temporalAddress, WAIT_MS);
const namespace = config.temporalNamespace;
const { deploymentName } = config;
const until = Date.now() + WAIT_MS;
for (;;) {
  try {
    // Refused while no worker of this version asks for tasks, so that no task is left without anybody.
    const before = await connection.workflowService.setWorkerDeploymentCurrentVersion({ namespace, deploymentName, buildId, identity: 'tributary promote' });
    const was = before.previousDeploymentVersion?.buildId ?? '';
    console.log(was === buildId ? `${deploymentName}: ${buildId} is the current version already` : `${deploymentName}: ${buildId} is the current version now${was === '' ? '' : `, it was ${was}`}`);
    break;
  } catch (error) {
    if (!isGrpcServiceError(error)) throw error;
    if (Date.now() > until) {
      console.error(`no worker of build ${buildId} asks deployment ${deploymentName} for tasks (waited ${WAIT_MS / 1000} s): start one with BUILD_ID=${buildId}, then promote again\n${error.details}`);
      process.exitCode = 1;
      break;
    }
    await delay(1_000);
  }
}
await connection.close();
