--- `gL`: lines that a log does not show, in front of the nearest gap above the cursor, or of its first line.
local host = require('brummer.host')
local notify = require('brummer.notify')

local M = {}

-- Lines that one `gL` brings; a count brings as many times that.
local COUNT = 1000
local MAX = 10000

--- The line behind the nearest gap at or above a row, else the first one.
---@param lines brummer.Lines
---@param row integer 0-based
---@return integer? seq
---@return integer? id
local function behind_gap(lines, row)
  for i = #lines.runs, 2, -1 do
    local run, before = lines.runs[i], lines.runs[i - 1]
    local start = run.at - lines.base
    if start > 0 and start <= row and run.id == before.id and run.seq ~= before.seq + before.count then
      return run.seq, run.id
    end
  end
  return lines:at(0)
end

--- Loads lines into the log of the current window.
function M.run()
  local view = require('brummer.ui.view').get(0)
  if not view or view.kind ~= 'logs' then
    return notify.say('this works in a log')
  end
  local log = view --[[@as brummer.LogView]]
  local row = vim.api.nvim_win_get_cursor(0)[1] - 1
  -- Between two lines of a filtered or merged log any number of others may stand.
  local whole = view.script and not view.filter
  local seq, id = behind_gap(log.lines, whole and row or -1)
  if not seq or not log.watching or require('brummer.previous').stands(log) then
    return notify.say('there is nothing to load here')
  end
  local count = math.min(COUNT * vim.v.count1, MAX)
  host.call('load', {
    buf = view.buf,
    before = seq,
    id = id ~= 0 and id or nil,
    count = count,
  }, function(err, value)
    if err then
      return notify.failed(err)
    end
    local text = require('brummer.text')
    local said = ('%s loaded'):format(text.plural(value and value.lines or 0, 'line'))
    notify.say(value and value.more and said .. ' · gL loads more' or said)
  end)
end

return M
