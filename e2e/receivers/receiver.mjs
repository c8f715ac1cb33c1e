import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const verifier = new Webhook(process.env.WEBHOOK_SECRET);
const seen = new Set(); // of ids: a table with a unique key, in your own database

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  try {
    verifier.verify(body, request.headers); // of the body as it came, before it is parsed
  } catch (error) {
    response.writeHead(401).end(error.message);
    return;
  }
  const id = request.headers["webhook-id"];
  if (!seen.has(id)) {
    seen.add(id);
    console.log(id, request.headers["x-webhook-event"], body.toString());
  }
  response.writeHead(204).end();
});

const [host, port] = process.env.ADDRESS.split(":");
server.listen(Number(port), host);
