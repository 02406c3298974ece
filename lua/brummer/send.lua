--- Sending lines to processes: `:Brummer send`, and `i` in a log or list.
local host = require('brummer.host')
local notify = require('brummer.notify')
local target = require('brummer.target')

local M = {}

---@param row brummer.Row
---@param line? string
---@param eof? boolean
local function send(row, line, eof)
  host.call('send', { id = row.id, text = line, eof = eof or nil }, function(err)
    if err then
      notify.failed(err)
    end
  end)
end

---@param row brummer.Row
local function ask(row)
  if not require('brummer.state').alive(row) then
    return notify.say(('%s is not running; r runs it'):format(row.name))
  end
  local prompt = row.prompt and not row.progress and vim.trim(row.prompt) .. ' ' or ('%s> '):format(row.name)
  vim.ui.input({ prompt = prompt, kind = 'brummer.send' }, function(line)
    -- Nothing at all is what a cancelled question gives; an empty line is a line.
    if line then
      send(row, line)
    end
  end)
end

--- Asks for a line and sends it to the process the cursor is about.
---@param name? string
function M.ask(name)
  target.with_process(name, 'Send a line to', ask)
end

--- A name as it may stand at the head of a command line, and what follows it.
---@param raw string
---@param names string[]
---@return string? name
---@return string rest
local function split(raw, names)
  local found
  for _, name in ipairs(names) do
    for _, typed in ipairs({ name, (name:gsub('[%s"\'\\]', '\\%0')) }) do
      local follows = raw:sub(#typed + 1, #typed + 1)
      local fits = raw:sub(1, #typed) == typed and (follows == '' or follows == ' ')
      if fits and (not found or #typed > #found.typed) then
        found = { name = name, typed = typed }
      end
    end
  end
  if not found then
    return nil, raw
  end
  return found.name, raw:sub(#found.typed + 2)
end

--- `:Brummer send [--eof] [name] [text]`. The text is sent as it was typed; without one it is asked for.
---@param raw string
function M.command(raw)
  local rest = raw:match('^%-%-eof%s+(.*)$') or raw:match('^%-%-eof$') and ''
  local eof = rest ~= nil
  raw = rest or raw
  local root = require('brummer.project').current()
  local names = vim.tbl_map(function(row)
    return row.name
  end, require('brummer.state').rows(root))
  local name, line = split(raw, names)
  if line == '' and not eof then
    return M.ask(name)
  end
  target.with_process(name, 'Send it to', function(row)
    send(row, line ~= '' and line or nil, eof)
  end)
end

return M
