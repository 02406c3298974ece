--- `:Brummer config`: the settings of a project with their sources, and reading the host's own again.
local host = require('brummer.host')
local notify = require('brummer.notify')
local project = require('brummer.project')

local M = {}

---@return string
local function directory()
  return project.current() or vim.fn.getcwd(-1, 0)
end

--- A path as a user writes it.
---@param path string
---@return string
local function home(path)
  return vim.fn.fnamemodify(path, ':~')
end

---@param title string
---@param lines string[]
---@param out string[]
local function section(title, lines, out)
  if #lines > 0 then
    out[#out + 1] = (#out > 0 and '\n' or '') .. title
    for _, line in ipairs(lines) do
      out[#out + 1] = '  ' .. line
    end
  end
end

---@param out string[]
---@return string[]
local function lines_of(out)
  return vim.split(table.concat(out, '\n'), '\n')
end

--- The settings as lines, in which the sources stand below each other.
---@param values { key: string, value?: string, hidden?: boolean, source?: string }[]
---@return string[]
local function listed(values)
  local rows, wide = {}, 0
  for i, it in ipairs(values) do
    rows[i] = it.value and ('%s = %s'):format(it.key, it.value)
      or (it.hidden and '# %s is set' or '# %s is not set'):format(it.key)
    wide = math.max(wide, math.min(vim.fn.strdisplaywidth(rows[i]), 56))
  end
  for i, it in ipairs(values) do
    if it.source then
      local gap = math.max(wide - vim.fn.strdisplaywidth(rows[i]), 0)
      rows[i] = rows[i] .. (' '):rep(gap) .. '  # ' .. it.source
    end
  end
  return rows
end

--- Shows what is wrong with the settings, then each value; those that are no defaults with their source.
function M.show()
  local dir = directory()
  host.call('config', { dir = dir }, function(err, value)
    if err or not value then
      return notify.failed(err or '')
    end
    local out = {}
    section(('problems (%d)'):format(#value.problems), value.problems, out)
    vim.list_extend(out, #out > 0 and { '' } or {})
    local files = value.files or {}
    out[#out + 1] = #files == 0 and ('# no .brum.toml in %s or above'):format(home(dir))
      or '# files: ' .. table.concat(vim.tbl_map(home, files), ', ')
    vim.list_extend(out, listed(value.values or {}))
    require('brummer.ui.window').popup(lines_of(out), '.brum.toml', 'toml')
  end)
end

--- What a reload did, in one line when that is enough to say.
---@param value table
---@return string? line
local function short(value)
  if #value.problems > 0 or #value.applied + #value.restart > 1 then
    return
  end
  return value.applied[1]
    or value.restart[1]
    or ('the settings of %s are as they were'):format(home(value.root))
end

--- Has the host read its settings again. What runs goes on.
function M.reload()
  if host.state() == 'down' then
    return notify.say('no host runs; it reads its settings when it starts')
  end
  local dir = directory()
  host.call('reload', { dir = dir }, function(err, value)
    if err or not value then
      return notify.failed(err or '')
    end
    local line = short(value)
    local foreign = project.current() ~= nil and dir ~= value.root
    if line and not foreign then
      return notify.say(line)
    end
    local out = {}
    section(('problems (%d)'):format(#value.problems), value.problems, out)
    section('in force now', value.applied, out)
    if #value.applied == 0 then
      out[#out + 1] = (#out > 0 and '\n' or '') .. 'nothing changed'
    end
    section('later: the host starts again with Neovim', value.restart, out)
    local files = vim.tbl_map(home, value.files)
    section('files', #files > 0 and files or { 'none: these are the defaults' }, out)
    if foreign then
      section('the host goes by the settings of the project it was started in', { value.root }, out)
    end
    require('brummer.ui.window').popup(lines_of(out), 'config reload')
  end)
end

return M
