// The sessions of which a webhook arrived.

import { newestStates } from '@/lib/session-changes';

export const dynamic = 'force-dynamic';

export default function Page() {
  return (
    <main>
      <h1>Sessions</h1>
      <table>
        <thead>
          <tr>
            <th>Session</th>
            <th>Step</th>
            <th>Quotes</th>
            <th>Primary quote</th>
          </tr>
        </thead>
        <tbody>
          {newestStates().map((state) => (
            <tr key={state.session_id}>
              <td>{state.session_id}</td>
              <td>{state.current_step}</td>
              <td>{`${state.quotes_received_count} of ${state.quotes_expected_count || '?'}`}</td>
              <td>{state.primary_quote && `${state.primary_quote.operator_name}, ${state.primary_quote.total_price}`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </main>
  );
}
