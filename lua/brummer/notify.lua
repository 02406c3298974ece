--- Messages: one line that fits, merged when they come together, held back while the user answers a
--- prompt or a completion menu.
local text = require('brummer.text')

local M = {}

local MERGE_MS = 200

---@class (exact) brummer.Notice
---@field kind string
---@field name string
---@field text string|fun(): string what is said, or how it is found out when it is said
---@field level integer

---@type brummer.Notice[]
local waiting = {}
---@type uv.uv_timer_t?
local timer

--- Cells a message may take without a hit-enter prompt.
---@return integer
function M.room()
  return math.max(vim.v.echospace, 1)
end

--- One line: the answer to a key or a command. Scheduled, because an error message raises where it
--- is given, and that would be in the middle of a frame.
---@param message string
---@param level? integer
function M.say(message, level)
  vim.schedule(function()
    level = level or vim.log.levels.INFO
    if vim.o.cmdheight == 0 then
      -- There any error message, however short, ends in a hit-enter prompt.
      level = math.min(level, vim.log.levels.WARN)
    end
    -- A message on top of one that has not been drawn yet would scroll, and ask for a key.
    vim.cmd.redraw()
    -- Where there is hardly room who says it goes without saying.
    local prefix = M.room() < 30 and '' or 'brummer: '
    vim.notify(text.fit(prefix .. message, M.room()), level, { title = 'brummer' })
  end)
end

--- `said` cut so that `tail`, which says what to do, still fits.
---@param said string
---@param tail string
---@param short? string said where nearly nothing of `said` would be left
---@return string
function M.with_tail(said, tail, short)
  local room = M.room() - #'brummer: ' - vim.fn.strdisplaywidth(tail)
  if short and room < math.min(vim.fn.strdisplaywidth(said), 16) then
    return short
  end
  return text.fit(said, math.max(room, 8)) .. tail
end

--- As `say`, at error level.
---@param message string
function M.error(message)
  M.say(message, vim.log.levels.ERROR)
end

--- Says the error of a call; an empty one was said already.
---@param err string
function M.failed(err)
  if err ~= '' then
    M.error(err)
  end
end

---@return boolean
local function busy()
  local mode = vim.api.nvim_get_mode()
  return mode.blocking
    or mode.mode:find('^[cr]') ~= nil
    or vim.fn.pumvisible() == 1
    or vim.fn.getcmdwintype() ~= ''
end

---@param notice brummer.Notice
---@return string
local function said(notice)
  local text_of = notice.text
  return type(text_of) == 'function' and text_of() or text_of --[[@as string]]
end

---@type table<string, string> several notices of a kind: what all of them are
local SEVERAL = {
  failed = '%d processes failed: %s',
  error = '%d processes with errors: %s',
  ready = '%d servers are ready: %s',
  not_ready = '%d processes are not ready: %s',
  health = '%d parts of the host are unwell: %s (:Brummer health)',
}

---@param kind string
---@param list brummer.Notice[]
---@return string
local function merge(kind, list)
  if #list == 1 then
    return said(list[1])
  end
  local names, seen = {}, {}
  for _, notice in ipairs(list) do
    if not seen[notice.name] then
      seen[notice.name] = true
      names[#names + 1] = notice.name
    end
  end
  local several = SEVERAL[kind]
  if #names == 1 or not several then
    -- How it is now counts, not the way there.
    return said(list[#list])
  end
  return several:format(#names, table.concat(names, ', '))
end

local function flush()
  if busy() then
    return
  end
  if timer then
    timer:stop()
    timer:close()
    timer = nil
  end
  local list, kinds, by = waiting, {}, {}
  waiting = {}
  for _, notice in ipairs(list) do
    if not by[notice.kind] then
      by[notice.kind] = {}
      kinds[#kinds + 1] = notice.kind
    end
    table.insert(by[notice.kind], notice)
  end
  -- A process that failed is named once, by how it ended.
  for _, kind in ipairs(kinds) do
    local mine = by[kind]
    if kind == 'error' and by.failed then
      mine = vim.tbl_filter(function(notice)
        return not vim.iter(by.failed):any(function(other)
          return other.name == notice.name
        end)
      end, mine)
    end
    if #mine > 0 then
      M.say(merge(kind, mine), mine[1].level)
    end
  end
end

--- Something the user did not ask for: can be turned off, waits, merges.
---@param notice brummer.Notice
function M.notice(notice)
  local option = require('brummer.config').get().notify
  if option == false or type(option) == 'table' and option[notice.kind] == false then
    return
  end
  waiting[#waiting + 1] = notice
  if not timer then
    timer = assert(vim.uv.new_timer())
    timer:start(MERGE_MS, MERGE_MS, vim.schedule_wrap(flush))
  end
end

return M
