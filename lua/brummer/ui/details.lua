--- `K`: all that is known of a process, in a window that goes at the next movement.
local columns = require('brummer.ui.columns')
local config = require('brummer.config')
local host = require('brummer.host')
local notify = require('brummer.notify')
local state = require('brummer.state')
local text = require('brummer.text')

local M = {}

-- Where the values begin.
local COLUMN = 14
-- Processes of a tree that are shown.
local TREE = 20

---@class brummer.Details
---@field argv? string[]
---@field file? string
---@field line? integer
---@field kind? string
---@field env? { name: string, source: string }[]
---@field options? { key: string, value: string }[]
---@field processes? { pid: integer, name: string, command?: string, depth?: integer }[]

---@param path string
---@param root string
---@return string
local function short(path, root)
  if vim.startswith(path, root .. '/') then
    return path:sub(#root + 2)
  end
  return vim.fn.fnamemodify(path, ':~')
end

---@param at integer milliseconds since the epoch
---@return string
local function clock(at)
  local seconds = math.floor(at / 1000)
  local today = os.date('%x', seconds) == os.date('%x')
  return os.date(today and '%H:%M:%S' or '%Y-%m-%d %H:%M:%S', seconds) --[[@as string]]
end

--- How it is, in one line.
---@param row brummer.Row
---@return string
local function summary(row)
  local how = row.state ---@type string
  if row.state == 'pending' then
    how = row.waiting or row.reason or 'starting'
  elseif row.state ~= 'running' then
    how = state.ending(row)
  elseif state.stopping(row) then
    how = 'stopping'
  elseif row.ready then
    how = row.ready == 'ready' and 'ready' or row.not_ready or 'not ready yet'
  end
  local took = row.started_at and (row.ended_at or os.time() * 1000) - row.started_at
  return columns.join({
    how,
    took and row.state ~= 'pending' and text.duration(math.max(took, 0)),
    ('run %d'):format(row.run),
    row.errors > 0 and text.plural(row.errors, 'error'),
    text.plural(row.lines, 'line'),
  })
end

---@param row brummer.Row
---@return string
local function usage(row)
  return columns.join({
    row.pid and state.alive(row) and ('pid %d'):format(row.pid),
    row.cpu and ('cpu %.1f%%'):format(row.cpu / 10),
    row.memory and text.bytes(row.memory),
  })
end

--- Words of a command as the shell takes them.
---@param argv string[]
---@return string
local function shell(argv)
  return table.concat(
    vim.tbl_map(function(word)
      return word:find('^[%w_./:=@%%+,-]+$') and word or vim.fn.shellescape(word)
    end, argv),
    ' '
  )
end

--- What is said of a process: a title, fields, sections.
---@param row brummer.Row
---@param more brummer.Details
---@param width integer
---@return string[]
function M.lines(row, more, width)
  local out = {}
  local function add(name, value)
    if not value or value == '' then
      return
    end
    local pieces = text.wrap(value, math.max(width - COLUMN - 1, 20))
    for i, piece in ipairs(pieces) do
      out[#out + 1] = ' ' .. text.pad(i == 1 and name or '', COLUMN - 1) .. piece
    end
  end
  local tool = more.kind
  out[1] = (' %s %s'):format(config.icon(row.state), columns.join({ row.name, tool, summary(row) }))
  out[2] = ''
  add('command', more.argv and shell(more.argv) or row.command)
  add('script', row.script ~= row.name and row.script or nil)
  add('directory', vim.fn.fnamemodify(row.cwd, ':~'))
  if more.file then
    local place = short(more.file, row.root)
    add('defined in', more.line and ('%s:%d'):format(place, more.line) or place)
  end
  add('uses', usage(row))
  add('ports', table.concat(row.ports or {}, ', '))
  for i, url in ipairs(row.urls or {}) do
    add(i == 1 and 'addresses' or '', url)
  end
  add('started', row.started_at and clock(row.started_at))
  add('ended', row.ended_at and clock(row.ended_at))
  for _, option in ipairs(more.options or {}) do
    add(option.key, option.value)
  end
  for i, one in ipairs(more.env or {}) do
    local source = one.source:gsub('^' .. vim.pesc(row.root) .. '/', '')
    add(i == 1 and 'environment' or '', ('%s from %s'):format(one.name, source))
  end
  local tree = more.processes or {}
  for i, one in ipairs(tree) do
    if i <= TREE then
      local indent = ('  '):rep(one.depth or 0)
      local said = ('%s%d %s'):format(indent, one.pid, one.command or one.name)
      -- One line each: the tree is to be seen.
      said = text.fit(said, math.max(width - COLUMN - 1, 20))
      out[#out + 1] = ' ' .. text.pad(i == 1 and 'processes' or '', COLUMN - 1) .. said
    end
  end
  if #tree > TREE then
    add('', ('and %d more'):format(#tree - TREE))
  end
  for i, one in ipairs(row.left or {}) do
    local may = one.exempt and ', may stay' or ''
    add(i == 1 and 'left running' or '', ('%s (%d)%s'):format(one.name, one.pid, may))
  end
  return out
end

--- Shows them of the process that is meant.
---@param name? string
function M.show(name)
  require('brummer.target').with_process(name, 'Show', function(row)
    host.call('describe', { id = row.id }, function(err, value)
      if err then
        return notify.failed(err)
      end
      local now = state.get(row.id) or row
      local width = math.min(vim.o.columns - 4, 100)
      require('brummer.ui.window').popup(M.lines(now, value or {}, width), row.name)
    end)
  end)
end

return M
