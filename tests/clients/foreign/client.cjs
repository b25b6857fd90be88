// Calls a server with grpc-js and prints its responses, then the status, as lines of JSON.
//
//     node client.cjs ADDRESS estimate OPTIONS FILE
//     node client.cjs ADDRESS stream CONFIG FILE...
//
// OPTIONS and CONFIG are messages as JSON.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const DEADLINE_MILLIS = 60_000;

const protos = loader.loadSync(
  ["posewire/v1/pose_service.proto", "google/rpc/status.proto", "google/rpc/error_details.proto"],
  {
    includeDirs: [path.join(__dirname, "..", "..", "..", "proto")],
    bytes: String,
    enums: String,
    json: true,
    keepCase: true,
    longs: String,
  },
);

function print(document) {
  process.stdout.write(JSON.stringify(document) + "\n");
}

function printStatus(status) {
  const [details] = status.metadata.get("grpc-status-details-bin");
  print({
    code: status.code,
    message: status.details,
    details: details ? protos["google.rpc.Status"].deserialize(details).details : [],
  });
}

function imageOf(file) {
  return { encoded: { data: fs.readFileSync(file) } };
}

function estimate(client, options, [file]) {
  const request = { options: JSON.parse(options), image: imageOf(file) };
  const deadline = Date.now() + DEADLINE_MILLIS;
  const call = client.EstimatePoses(request, { deadline }, (error, response) => {
    if (!error) {
      print(response);
    }
  });
  call.on("status", printStatus);
}

// Keeps the server's window: each outcome makes room for one frame.
function stream(client, config, files) {
  const call = client.StreamPoses({ deadline: Date.now() + DEADLINE_MILLIS });
  let sent = 0;
  function sendNext() {
    if (sent < files.length) {
      sent += 1;
      call.write({ frame: { frame_id: sent, image: imageOf(files[sent - 1]) } });
    } else {
      call.end();
    }
  }
  call.on("data", (response) => {
    print(response);
    const room = response.started ? response.started.max_frames_in_flight : 1;
    for (let i = 0; i < room; i += 1) {
      sendNext();
    }
  });
  call.on("error", () => {}); // the status has it
  call.on("status", printStatus);
  call.write({ config: JSON.parse(config) });
}

const [address, method, message, ...files] = process.argv.slice(2);
const { PoseService } = grpc.loadPackageDefinition(protos).posewire.v1;
const client = new PoseService(address, grpc.credentials.createInsecure());
({ estimate, stream })[method](client, message, files);
