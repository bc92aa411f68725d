// scim2-tester, an independent client that knows the RFCs, against a tenant of its own.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { ask, broker, put } from './broker.mjs';

/** Runs the tester; its exit status and everything that it said. */
function tester(token) {
  const environment = { ...process.env, SCIM_CLI_HEADERS: `Authorization: Bearer ${token}`, COLUMNS: '160' };
  const program = spawn(process.env.VESTIBULE_SCIM2, ['-u', `${broker}/scim/v2`, 'test', '--verbose'], { env: environment });
  return new Promise((resolve, reject) => {
    let said = '';
    for (const stream of [program.stdout, program.stderr]) stream.on('data', (part) => (said += part));
    program.on('error', reject);
    program.on('close', (status) => resolve({ status, said }));
  });
}

test('scim2-tester finds nothing wrong', async () => {
  const tenant = `scim-${Date.now().toString(36)}`;
  await put(`tenants/${tenant}`, { name: 'A tenant with a directory', provisioning: { mode: 'scim', scim_requests_per_second: 10_000 } });
  const made = await ask('POST', `/tenants/${tenant}/scim-tokens`, { name: 'scim2-tester' });
  assert.equal(made.status, 201);
  const { status, said } = await tester((await made.json()).token);
  assert.equal(status, 0, said);
  // A tester that looked at nothing finds nothing either.
  assert.ok(said.split('\n').filter((line) => line.includes('SUCCESS')).length > 50, said);
});
