--- How the host is: `brummer://health`, live while somebody can see it.
local host = require('brummer.host')
local report_of = require('brummer.ui.report')
local rows = require('brummer.ui.rows')
local rpc = require('brummer.rpc')
local view_of = require('brummer.ui.view')

local M = {}

local ns = vim.api.nvim_create_namespace('brummer.health')

-- Times are relative: drawn again while somebody can see them.
local TICK_MS = 10000

---@class brummer.HealthView: brummer.DrawnView
---@field watching boolean the host sends reports

--- The newest report, and when it came by the clock of the event loop.
---@type table?
local report
local came = 0

---@param view brummer.View
---@return boolean
local function visible(view)
  return #vim.fn.win_findbuf(view.buf) > 0
end

---@return brummer.HealthView[]
local function all()
  return view_of.all('health') --[[@as brummer.HealthView[] ]]
end

--- Asks for reports while the view is visible, and only then. It starts no host: one that runs for
--- nobody has no health.
---@param view brummer.HealthView
local function sync(view)
  local want = visible(view) and host.state() == 'ready'
  if want and not view.watching then
    view.watching = true
    rpc.call('watch_health', { buf = view.buf }, function(err)
      view.watching = view.watching and err == nil
    end)
  elseif not want and view.watching then
    view.watching = false
    if rpc.attached() then
      rpc.call('unwatch_health', { buf = view.buf })
    end
  end
end

--- What lives on because the settings let it, of all projects.
---@return { name: string, pid: integer, of: string }[]
local function staying()
  local list = {}
  for _, process in ipairs(require('brummer.state').rows()) do
    for _, one in ipairs(process.left or {}) do
      if one.exempt then
        list[#list + 1] = { name = one.name, pid = one.pid, of = process.name }
      end
    end
  end
  return list
end

---@param view brummer.HealthView
local function draw(view)
  local width = rows.width(view)
  local list
  if host.state() ~= 'ready' then
    list = report_of.down(host.state() == 'starting', width)
  elseif report then
    report.staying = staying()
    list = report_of.rows(report, (report.uptime or 0) + vim.uv.now() - came, width)
  elseif view.shown[0] then
    -- What stands there stays until the first report: the cursor has its place in it.
    return
  else
    list = { { ' brummer health', { { 0, 15, 'BrummerTitle' } } } }
  end
  rows.still(view, function()
    for i, row in ipairs(list) do
      rows.put(view, ns, i - 1, row[1], row[2])
    end
    rows.cut(view, ns, #list)
  end)
end

local draw_all = rows.ticker(TICK_MS, function()
  local any = false
  for _, view in ipairs(all()) do
    if visible(view) then
      any = true
      draw(view)
    end
  end
  return any
end)

--- Takes the report of a frame.
---@param new table
function M.apply(new)
  report, came = new, vim.uv.now()
  draw_all()
end

--- Asks for a report out of turn.
function M.refresh()
  if host.state() ~= 'ready' then
    return draw_all()
  end
  rpc.call('health', {}, function(err, value)
    if value then
      M.apply(value)
    elseif err then
      require('brummer.notify').failed(err)
    end
  end)
end

local watching = false

---@param view brummer.HealthView
function M.open(view)
  require('brummer.highlight').setup()
  view.watching = false
  rows.clear(view, ns)
  if not watching then
    watching = true
    vim.api.nvim_create_autocmd({ 'WinResized', 'VimResized' }, {
      group = vim.api.nvim_create_augroup('brummer.health', {}),
      desc = 'brummer: lay the report out again',
      callback = function()
        draw_all()
      end,
    })
  end
end

---@param view brummer.HealthView
function M.close(view)
  if view.watching and rpc.attached() then
    rpc.call('unwatch_health', { buf = view.buf })
  end
  view.watching = false
end

---@param win integer
---@param view brummer.HealthView
function M.style(win, view)
  local wo = vim.wo[win][0]
  wo.wrap = false
  wo.cursorline = true
  wo.signcolumn = 'no'
  draw(view)
end

function M.hiding() end

--- Visibility has changed.
---@param view brummer.HealthView
function M.shown(view)
  sync(view)
  draw_all()
end

--- The host has gone.
function M.host_down()
  report = nil
  for _, view in ipairs(all()) do
    view.watching = false
  end
  draw_all()
end

--- A host is there.
function M.host_up()
  for _, view in ipairs(all()) do
    sync(view)
  end
  draw_all()
end

return M
