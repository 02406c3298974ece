--- The line above a log: `● dev · 10,000 of 93,112 lines · 2 errors · following`.
local config = require('brummer.config')
local follow = require('brummer.ui.follow')
local text = require('brummer.text')

local M = {}

-- At most four redraws a second.
local INTERVAL_MS = 250

---@type table<integer, true>
local dirty = {}
---@type uv.uv_timer_t?
local timer

local GROUP = {
  running = 'BrummerRunning',
  pending = 'BrummerPending',
  success = 'BrummerSuccess',
  failed = 'BrummerFailed',
  stopped = 'BrummerStopped',
}

---@param view brummer.LogView
---@return brummer.Row?
local function row_of(view)
  return view.script and require('brummer.state').find(view.root, view.script) or nil
end

---@param view brummer.LogView
---@return string icon
---@return string group
---@return string[] parts
local function subject(view)
  local state = require('brummer.state')
  if not view.script then
    local n = #state.running(view.root)
    local name = vim.fs.basename(view.root)
    return config.icon(n > 0 and 'running' or 'stopped'),
      n > 0 and 'BrummerRunning' or 'BrummerStopped',
      { name, ('%d running'):format(n) }
  end
  local row = row_of(view)
  if not row then
    local down = require('brummer.host').state() == 'down' and view.lines.count > 0
    return config.icon('stopped'),
      'BrummerStopped',
      { view.script, down and 'host down · r to run' or 'not running · r to run' }
  end
  local parts = { row.name }
  if row.state == 'pending' then
    parts[2] = row.waiting or row.reason or 'starting'
  elseif row.elsewhere and row.state == 'running' then
    parts[2] = ('in another Neovim (pid %d)'):format(row.elsewhere)
  elseif state.stopping(row) then
    parts[2] = 'stopping'
  elseif row.state == 'running' and row.ready then
    parts[2] = row.ready == 'ready' and 'ready' or row.not_ready or 'not ready'
  elseif row.state == 'failed' or row.state == 'success' then
    parts[2] = state.ending(row)
  elseif row.state == 'stopped' then
    parts[2] = (row.reason or 'not running') .. ' · r to run'
  end
  return config.icon(row.state), GROUP[row.state], parts
end

--- The text of a window's bar, without statusline escapes. In a narrow window the number of lines
--- leaves first.
---@param view brummer.LogView
---@param win integer
---@return string icon
---@return string group
---@return string rest
function M.text(view, win)
  local icon, group, parts = subject(view)
  local logs = require('brummer.ui.logs')
  local newer = logs.newer(view)
  local row = row_of(view)
  local total = math.max(view.total, row and row.lines or 0)
  local said = require('brummer.previous').said(view)
  if said then
    parts[2] = said
  end
  if view.filter then
    parts[#parts + 1] = require('brummer.filter').said(view)
  end
  local count = #parts + 1
  if view.filter then
    total = view.total + view.passed_over
    local pass = ('%s of %s pass'):format(text.count(view.total), text.plural(total, 'line'))
    parts[count] = total > 0 and pass or nil
  elseif view.session then
    total = view.session.lines
    parts[count] = text.plural(total, 'line')
  elseif view.lines.count < total then
    parts[count] = ('%s of %s'):format(
      text.count(view.lines.count),
      text.plural(total, 'line')
    )
  elseif total > 0 then
    parts[count] = text.plural(total, 'line')
  end
  local errors = row and row.errors or require('brummer.ui.draw').errors(view.buf)
  if errors > 0 then
    parts[#parts + 1] = text.plural(errors, 'error')
  end
  local asks = row and row.state == 'running' and (not row.progress and row.prompt or row.full_screen and '')
  if asks == '' then
    parts[#parts + 1] = 'draws itself · :Brummer attach'
  elseif asks then
    parts[#parts + 1] = ('asks %s · i answers'):format(vim.trim(text.fit(asks, 30)))
  end
  if newer > 0 then
    parts[#parts + 1] = ('paused, %s · G catches up'):format(text.plural(newer, 'newer line'))
  elseif said then
    parts[#parts + 1] = nil
  elseif view.still then
    parts[#parts + 1] = 'paused · G catches up'
  elseif follow.on(win) then
    parts[#parts + 1] = 'following'
  else
    parts[#parts + 1] = 'paused'
  end
  local rest = table.concat(parts, ' · ')
  if total > 0 and not view.filter and vim.fn.strdisplaywidth(rest) + 2 > vim.api.nvim_win_get_width(win) then
    table.remove(parts, count)
    rest = table.concat(parts, ' · ')
  end
  return icon, group, rest
end

--- What was printed in the last seconds, at the right end, where there is room for it.
---@param view brummer.LogView
---@param win integer
---@param rest string
---@return string
local function rates(view, win, rest)
  if require('brummer.previous').stands(view) then
    return ''
  end
  local rows = view.script and { row_of(view) } or require('brummer.state').rows(view.root)
  local bars, cells = require('brummer.ui.rates').bars(rows)
  local room = vim.api.nvim_win_get_width(win) - vim.fn.strdisplaywidth(rest) - 4
  if not bars or room < cells then
    return ''
  end
  -- The bars move on by themselves until the last line is out of sight.
  M.touch(view.buf)
  return '%=' .. bars .. ' '
end

--- Gives a window its bar. One that is a line high has no room for it: the error (E36) would be that of the command which
--- opened the window, even if it is caught.
---@param win integer
---@param bar string
function M.set(win, bar)
  if vim.wo[win].winbar ~= '' or vim.api.nvim_win_get_height(win) > 1 then
    vim.wo[win][0].winbar = bar
  end
end

---@param buf integer
local function draw(buf)
  local view = require('brummer.ui.view').get(buf) --[[@as brummer.LogView?]]
  if not view or not config.get().winbar then
    return
  end
  for _, win in ipairs(vim.fn.win_findbuf(buf)) do
    local icon, group, rest = M.text(view, win)
    -- What is still too long is cut at its end: the name stays.
    local bar = ('%%#%s#%s%%* %s%%<'):format(group, icon, (rest:gsub('%%', '%%%%')))
      .. rates(view, win, rest)
    if vim.wo[win].winbar ~= bar then
      M.set(win, bar)
    end
  end
end

local function flush()
  local list = dirty
  dirty = {}
  if next(list) == nil and timer then
    timer:stop()
    timer:close()
    timer = nil
    return
  end
  for buf in pairs(list) do
    if vim.api.nvim_buf_is_valid(buf) then
      draw(buf)
    end
  end
end

--- Has the bars of a buffer drawn again soon.
---@param buf integer
function M.touch(buf)
  if not timer then
    timer = assert(vim.uv.new_timer())
    timer:start(INTERVAL_MS, INTERVAL_MS, vim.schedule_wrap(flush))
    vim.schedule(function()
      draw(buf)
    end)
  else
    dirty[buf] = true
  end
end

--- Draws the bar of a window that has come to show a log, so that the text does not move later.
---@param win integer
function M.style(win)
  draw(vim.api.nvim_win_get_buf(win))
end

return M
