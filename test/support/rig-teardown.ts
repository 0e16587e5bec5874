/** Jest's globalTeardown of the integration project. Should it not run, the rig's reaper does the same. */
// eslint-disable-next-line import-x/no-default-export -- jest calls the default export
export default async function teardown(): Promise<void> {
  await globalThis.aegisRig?.stop();
}
