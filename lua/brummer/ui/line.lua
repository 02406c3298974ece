--- `K` on a line of a log: all of its text, when it was printed, where to, by which run, and what it
--- was taken for.
local columns = require('brummer.ui.columns')
local host = require('brummer.host')
local text = require('brummer.text')

local M = {}

---@class brummer.LineInfo
---@field text string up to 1 MiB
---@field bytes integer as it was printed
---@field at integer
---@field stream 'out'|'err'|'terminal'
---@field run integer
---@field rule? string

local STREAM = { out = 'stdout', err = 'stderr', terminal = 'terminal' }

---@param at integer milliseconds since the epoch
---@return string
local function clock(at)
  local seconds = math.floor(at / 1000)
  local today = os.date('%x', seconds) == os.date('%x')
  return ('%s.%03d'):format(os.date(today and '%H:%M:%S' or '%Y-%m-%d %H:%M:%S', seconds), at % 1000)
end

--- The head and the text.
---@param line brummer.LineRef
---@param info brummer.LineInfo
---@return string[]
function M.lines(line, info)
  local out = {
    columns.join({
      info.at and clock(info.at),
      STREAM[info.stream],
      info.run and ('run %d'):format(info.run),
      ('line %s'):format(text.count(line.seq)),
    }),
  }
  if info.rule and info.rule ~= '' then
    out[2] = 'taken for: ' .. info.rule
  end
  if info.bytes and info.bytes > #info.text then
    out[#out + 1] = ('the first %s of %s'):format(text.bytes(#info.text), text.bytes(info.bytes))
  end
  out[#out + 1] = ''
  return vim.list_extend(out, vim.split(info.text, '\n', { plain = true }))
end

---@param line brummer.LineRef
---@param info brummer.LineInfo
local function popup(line, info)
  local title = line.name or 'line'
  require('brummer.ui.window').popup(M.lines(line, info), title, nil, true)
end

--- Shows the line of the cursor; without one nothing happens.
---@return boolean shown
function M.show()
  local line = require('brummer.cursor').line()
  if not line then
    return false
  end
  local known = { text = line.text, at = line.t } --[[@as brummer.LineInfo]]
  local params = { id = line.id, seq = line.seq }
  if line.id == 0 then
    if not line.name or not line.t then
      popup(line, known)
      return true
    end
    -- One of an earlier session: the history knows it by its log and its time.
    local view = require('brummer.ui.view').get(0)
    params.root, params.name, params.at = view and view.root or vim.uv.cwd(), line.name, line.t
  end
  local win = vim.api.nvim_get_current_win()
  host.call('line', params, function(err, value)
    -- Not over something else the user has gone on to.
    if vim.api.nvim_get_current_win() == win then
      popup(line, not err and value --[[@as brummer.LineInfo]] or known)
    end
  end)
  return true
end

return M
