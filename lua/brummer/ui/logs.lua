--- Log views: the bounded copy of a log in a buffer, patched by the host.
local Lines = require('brummer.ui.lines')
local config = require('brummer.config')
local draw = require('brummer.ui.draw')
local feed = require('brummer.ui.feed')
local folds = require('brummer.ui.folds')
local follow = require('brummer.ui.follow')
local rpc = require('brummer.rpc')
local state = require('brummer.state')
local text = require('brummer.ui.patch')
local view_of = require('brummer.ui.view')
local winbar = require('brummer.ui.winbar')

local M = {}

---@class brummer.LogView: brummer.View
---@field id? integer its process
---@field lines brummer.Lines
---@field total integer lines ever printed
---@field watching boolean the host sends patches
---@field keep boolean the first whole patch continues what is held
---@field still boolean stopped at twice the bound
---@field faults integer faults in a row
---@field following boolean what the last window that showed it did
---@field styles table<integer, brummer.Style>
---@field spans brummer.Spans[]
---@field screen_run? integer the run whose program was said to need a terminal
---@field runs? table[] run rules that wait for their first line
---@field passed_over integer lines that did not pass its filter
---@field origin? brummer.Anchor the line from which it was filtered
---@field anchor? brummer.Anchor where the cursor belongs when its lines have come
---@field session? { at: integer, ended?: integer, lines: integer } of the lines of an earlier session
---@field names? string[] what `ids` of an earlier session stand for
---@field restored? boolean came back with a session: shows what it had until its script runs
---@field next? integer the position in the log after what is held
---@field deferred brummer.LogPatch[] lines that had been left out and cannot be put in yet
---@field partial? integer the mark that shows an unfinished line
---@field repeats? { rank: integer, line: string, n: integer } the same lines that were counted last
---@field folds? table[] groups of stack frames, see brummer.ui.folds

---@param view brummer.LogView
---@return brummer.Row?
function M.row(view)
  if view.script then
    return state.find(view.root, view.script)
  end
end

---@param view brummer.LogView
function M.open(view)
  require('brummer.highlight').setup()
  M.setup()
  view.lines, view.total, view.styles, view.spans = Lines.new(), 0, {}, {}
  view.watching, view.keep, view.still = false, false, false
  view.faults, view.following, view.runs, view.deferred = 0, true, {}, {}
  view.passed_over = 0
  draw.clear(view.buf)
  view_of.write(view.buf, 0, -1, {})
end

---@param view brummer.LogView
function M.close(view)
  view.watching = view.watching and rpc.attached()
  if view.watching then
    view.watching = false
    rpc.call('unwatch', { buf = view.buf })
  end
end

--- Window options of a log.
---@param win integer
---@param view brummer.LogView
function M.style(win, view)
  local wo = vim.wo[win][0]
  wo.signcolumn = 'yes:1'
  wo.foldenable = true
  -- Without it a long line that does not fit at the top leaves its rows empty at the bottom.
  wo.smoothscroll = true
  require('brummer.ui.time').style(win, view)
  winbar.style(win)
  follow.open(win, view.buf, view.following)
  folds.style(win, view)
end

--- Visibility has changed.
---@param view brummer.LogView
function M.shown(view)
  if not feed.visible(view) then
    view.still = false
  end
  feed.sync(view)
  winbar.touch(view.buf)
end

--- A window stops showing the view.
---@param view brummer.LogView
---@param win integer
function M.hiding(view, win)
  if vim.api.nvim_win_get_buf(win) == view.buf then
    view.following = follow.on(win)
  end
end

--- Applies the log part of a frame.
---@param patches brummer.LogPatch[]
---@return integer[] again buffers that want to be sent whole
function M.apply(patches)
  local again = {}
  for _, patch in ipairs(patches) do
    local view = view_of.get(patch.buf) --[[@as brummer.LogView?]]
    if view and view.kind == 'logs' then
      local ok, err = xpcall(text.apply, debug.traceback, view, patch)
      view.faults = ok and 0 or view.faults + 1
      if view.anchor then
        require('brummer.ui.anchor').settle(view)
      end
      if view.still then
        feed.sync(view)
      end
      winbar.touch(view.buf)
      if not ok then
        rpc.fault('log view', err)
        view.keep = false
        if view.faults < 3 then
          again[#again + 1] = patch.buf
        else
          view.still = true
          feed.sync(view)
        end
      end
    end
  end
  return again
end

--- Lines the copy lacks because it stands still.
---@param view brummer.LogView
---@return integer
function M.newer(view)
  if not view.still or view.filter then
    -- How many of those that came since pass the filter is not known.
    return 0
  end
  local total, last = 0, 0
  for _, row in ipairs(view.script and { M.row(view) } or state.rows(view.root)) do
    total = total + row.lines
    last = last + (view.lines.last[view.script and 0 or row.id] or 0)
  end
  return math.max(total, view.total) - last
end

--- Whatever held the copy back may be over: trims, follows, catches up.
---@param view brummer.LogView
function M.settle(view)
  local wins = vim.fn.win_findbuf(view.buf)
  if #wins == 0 then
    return
  end
  follow.before(wins)
  text.trim(view, wins)
  folds.sync(view)
  follow.after(wins)
  text.catch_up(view)
  if view.still and view.lines.count <= config.get().max_lines then
    view.still = false
    feed.sync(view)
  end
  winbar.touch(view.buf)
end

--- Hides what was printed so far; `undo` shows it again.
---@param view brummer.LogView
---@param undo? boolean
function M.clear(view, undo)
  if undo then
    view.lines.floor, view.lines.last, view.next = {}, {}, nil
    text.empty(view)
    if view.watching then
      view.watching = false
      rpc.call('unwatch', { buf = view.buf })
    end
    feed.sync(view)
    view.keep = false
  else
    view.lines.floor = vim.deepcopy(view.lines.last)
    text.empty(view)
  end
  view.still = false
  winbar.touch(view.buf)
end

---@return brummer.LogView[]
function M.all()
  return view_of.all('logs') --[[@as brummer.LogView[] ]]
end

--- The host has gone: what is shown stays.
function M.host_down()
  for _, view in ipairs(M.all()) do
    view.watching, view.still, view.id, view.next = false, false, nil, nil
    -- Lines of the next host are other lines.
    view.lines.last, view.lines.floor = {}, {}
    winbar.touch(view.buf)
  end
end

--- A host is there: visible views want their lines.
function M.host_up()
  require('brummer.ui.colors').reset()
  for _, view in ipairs(M.all()) do
    view.styles = {}
    if not view.watching then
      feed.sync(view)
      view.keep = false
    end
  end
end

local watching = false

--- Sets the autocommands, once.
function M.setup()
  if watching then
    return
  end
  watching = true
  follow.setup()
  require('brummer.ui.colors').setup()
  require('brummer.ui.rates').setup()
  follow.subscribe(function(_, buf)
    local view = view_of.get(buf)
    if view then
      -- Not now: the flag may change in the middle of a frame.
      vim.schedule(function()
        if view_of.get(buf) == view then
          M.settle(view --[[@as brummer.LogView]])
        end
      end)
    end
  end)
  state.subscribe(function()
    for _, view in ipairs(M.all()) do
      if view.restored and not require('brummer.previous').stands(view) then
        view.restored, view.session, view.watching = nil, nil, false
        text.empty(view)
        feed.sync(view)
      end
      draw.full_screen(view, M.row(view))
      if feed.visible(view) then
        draw.partial(view, M.row(view))
      end
      winbar.touch(view.buf)
    end
    require('brummer.ui.size').sync()
  end)
  local group = vim.api.nvim_create_augroup('brummer.logs', {})
  vim.api.nvim_create_autocmd('WinScrolled', {
    group = group,
    desc = 'brummer: put in what was left out where nobody reads any more',
    callback = vim.schedule_wrap(function()
      for _, view in ipairs(M.all()) do
        if view.deferred[1] then
          text.catch_up(view)
        end
      end
    end),
  })
  vim.api.nvim_create_autocmd({ 'ModeChanged', 'WinClosed' }, {
    group = group,
    desc = 'brummer: catch up after a selection',
    callback = vim.schedule_wrap(function()
      for _, view in ipairs(M.all()) do
        M.settle(view)
      end
    end),
  })
end

return M
