-- Sends the requests of a file in turn and looks at every answer.
--
--   wrk ... -s load.lua URL -- FILE EXPECTED cycle|once|all
--
-- FILE holds requests as they stand on the wire, each after a line with its length. An answer without the
-- text EXPECTED near its end, or its beginning, is an error. `once` is for requests that work once: the measurement ends with
-- the last of them, and what wrk asks beyond it, while others are still under way, is not looked at. `all`
-- sends each once, and ends with the answer to the last one; it says nothing of how long answers took.
local ffi = require("ffi")
ffi.cdef("typedef struct { long sec; long usec; } bench_time; int gettimeofday(bench_time *t, void *zone);")

local clock = ffi.new("bench_time")
local function now()
   ffi.C.gettimeofday(clock, nil)
   return tonumber(clock.sec) + tonumber(clock.usec) / 1e6
end

local worker -- one thread, so one of everything
function setup(thread)
   worker = thread
end

local requests, expected, once, sent, tail
function init(args)
   requests, sent = {}, 0
   local file = assert(io.open(args[1], "rb"))
   for length in function() return file:read("*n") end do
      file:read(1)
      requests[#requests + 1] = file:read(length)
   end
   file:close()
   expected, once, all, tail = args[2], args[3] == "once", args[3] == "all", 400
   if all then sent = -1 end -- wrk asks for a request before it begins, and does not send it
   answered, errors, bytes, wrong, started, ended = 0, 0, 0, "", now(), 0
end

local function quoted(text)
   return '"' .. text:gsub('[%c"\\]', function(c) return string.format("\\u%04x", c:byte()) end) .. '"'
end

local function tell(answered, seconds, p50, p99, errors, broken, bytes, wrong)
   io.write(string.format(
      '\n{"answered": %d, "seconds": %f, "p50": %f, "p99": %f, "errors": %d, "broken": %d, "bytes": %d, "wrong": %s}\n',
      answered, seconds, p50, p99, errors, broken, bytes, quoted(wrong)))
end

function request()
   if all and sent == #requests then return "" end -- a connection that waits
   if once and sent == #requests and ended == 0 then
      ended = now()
      wrk.thread:stop()
   end
   sent = sent + 1
   return requests[(sent - 1) % #requests + 1]
end

function response(status, _, body)
   if ended > 0 then return end
   answered, bytes = answered + 1, bytes + #body
   local right = body:sub(-tail):find(expected, 1, true) or body:sub(1, tail):find(expected, 1, true)
   if status ~= 200 or not right then
      errors = errors + 1
      wrong = body:sub(1, 200)
   end
   if all and answered == #requests then
      ended = now()
      tell(answered, ended - started, 0, 0, errors, 0, bytes, wrong)
      os.exit(0) -- wrk itself would sleep until its time is over
   end
end

function done(summary, latency)
   local seconds = summary.duration / 1e6
   if worker:get("ended") > 0 then seconds = worker:get("ended") - worker:get("started") end
   local broken = summary.errors
   tell(worker:get("answered"), seconds, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
      worker:get("errors"), broken.connect + broken.read + broken.write + broken.timeout,
      worker:get("bytes"), worker:get("wrong"))
end
