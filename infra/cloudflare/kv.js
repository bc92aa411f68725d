// Stands in for Workers KV where there is only workerd: a map that lives as long as the process and ignores lifetimes
// (a read copy checks its own age). workerd sends one HTTP request an operation, the key as its path.

const values = new Map();

export default {
  async fetch(request) {
    const key = new URL(request.url).pathname;
    switch (request.method) {
      case "PUT":
        values.set(key, await request.text());
        return new Response();
      case "DELETE":
        values.delete(key);
        return new Response();
      default:
        return values.has(key) ? new Response(values.get(key)) : new Response(null, { status: 404 });
    }
  },
};
