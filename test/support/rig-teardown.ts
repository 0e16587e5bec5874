/** Jest's globalTeardown of the integration project. Should it not run, the rig's reaper does the same. */
export default async function teardown(): Promise<void> {
  await globalThis.aegisRig?.stop();
}
