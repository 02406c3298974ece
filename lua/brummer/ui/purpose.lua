--- What the parts of the host, its queues and limits are for, as far as a user meets them.
local M = {}

M.part = {
  bus = 'carries news between the parts',
  project = 'reads package.json and .brum.toml',
  process = 'starts and ends what you run',
  logs = 'keeps what was printed',
  locate = 'finds the place behind an error',
  model = 'keeps the list of processes',
  rpc = 'talks to this editor',
  resource = 'limits work and memory',
  app = 'holds the host together',
}

M.budget = {
  ['short work'] = 'looking at files, mostly',
  processes = 'what you run',
  tasks = 'jobs inside the host',
}

M.queue = {
  ['events high'] = 'starts, ends, errors',
  ['events medium'] = 'news of lines',
  ['events low'] = 'memory figures',
  mailboxes = 'events handed to a part',
  faults = 'faults to count',
  ['faults to tell'] = 'faults to list here',
  ['log questions'] = 'lines asked for',
  ['process commands'] = 'run, stop, restart',
  ['process controls'] = 'the same, for each process',
  output = 'blocks of what is printed',
  ['editor messages'] = 'what editors ask',
  ['messages to flush'] = 'news and answers for editors',
  ['calls in order'] = 'asked by editors, one by one',
}

--- What became of processes.
M.counter = {
  restarts = 'started again, as `restart` says',
  ['given up'] = 'not started again after so many times',
  ['not ready'] = 'not ready in time',
  killed = 'did not end within their grace',
  ['guards lost'] = 'lost their guard and were ended',
}

--- Queues that are full whenever there is much to do, and what that means.
M.slows = { output = 'full, programs wait a moment' }

--- Names of limits that are not those of the report.
M.limit = {
  ['lock wait'] = 'wait for a lock',
  ['blocked send'] = 'wait for room',
  ['leaked tasks'] = 'ownerless tasks',
}

return M
