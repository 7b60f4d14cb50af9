import { setting } from './ingest';

/** Returns the id (`iso_agents.id`) of the agent who is signed in. Replace it by the sign-in of your application. */
export async function currentAgent(): Promise<string> {
  return setting('DEMO_AGENT_ID');
}
