/** A small client of our own public API: JSON, one key, problems as errors. */
export type Client = <T = unknown>(method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, body?: unknown, accept?: readonly number[]) => Promise<{ status: number; body: T }>;

const ATTEMPTS = 10;

export function createClient(apiUrl: string, key: string): Client {
  return async <T>(method: string, path: string, body?: unknown, accept: readonly number[] = [200, 201, 202, 204]) => {
    for (let attempt = 1; ; attempt++) {
      let response: Response;
      try {
        response = await fetch(`${apiUrl}${path}`, {
          method, headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
      } catch (error) {
        // The API may be starting again; everything sent here may be sent twice.
        if (attempt === ATTEMPTS) throw error;
        await new Promise((resolve) => { setTimeout(resolve, 200 * attempt); });
        continue;
      }
      const text = await response.text();
      if ((response.status === 503 || response.status === 429) && attempt < ATTEMPTS) {
        await new Promise((resolve) => { setTimeout(resolve, 200 * attempt); });
        continue;
      }
      if (!accept.includes(response.status)) throw new Error(`${method} ${path} answered ${response.status}: ${text.slice(0, 500)}`);
      return { status: response.status, body: (text === '' ? null : JSON.parse(text)) as T };
    }
  };
}
