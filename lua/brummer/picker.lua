--- Choosing what to run: `:BrummerRun` without a name.
local catalog = require('brummer.catalog')
local config = require('brummer.config')
local host = require('brummer.host')
local notify = require('brummer.notify')
local project = require('brummer.project')
local state = require('brummer.state')
local text = require('brummer.text')

local M = {}

-- What is run most, where the files say nothing.
local LIKELY = { dev = 1, start = 2, serve = 3, watch = 4, build = 5, test = 6 }

---@class brummer.Choice
---@field label string
---@field tool string
---@field command string
---@field names string[] what is run
---@field package? string
---@field rank integer[]

--- Which group comes first: that of the file at hand, then the root's, then as listed.
---@param listing brummer.Listing
---@param file string
---@return table<string, integer>
local function groups(listing, file)
  local rank = { [''] = 1 }
  local nearest, depth = nil, 0
  for i, package in ipairs(listing.packages or {}) do
    rank[package.name] = rank[package.name] or i + 1
    local dir = vim.fs.normalize(vim.startswith(package.path, '/') and package.path or vim.fs.joinpath(listing.root, package.path))
    if #dir > depth and dir ~= listing.root and vim.startswith(file, dir .. '/') then
      nearest, depth = package.name, #dir
    end
  end
  if nearest then
    rank[nearest] = 0
  end
  return rank
end

--- What can be chosen: sets, then packages, in each the most likely first.
---@param listing brummer.Listing
---@param file string the file at hand
---@return brummer.Choice[]
function M.choices(listing, file)
  local list, group = {}, groups(listing, file)
  for i, script in ipairs(listing.scripts) do
    list[i] = {
      label = catalog.label(script),
      tool = script.kind or '',
      command = script.command or '',
      names = { catalog.label(script) },
      package = script.package,
      rank = {
        group[script.package or ''] or 1000,
        -(script.priority or 0),
        LIKELY[script.name] or 100,
        i,
      },
    }
  end
  for name, names in pairs(listing.sets or {}) do
    list[#list + 1] = {
      label = name,
      tool = 'set',
      command = table.concat(names, ' '),
      names = names,
      rank = { -1, 0, 0, 0, name },
    }
  end
  table.sort(list, function(a, b)
    for i = 1, 5 do
      local left, right = a.rank[i] or 0, b.rank[i] or 0
      if left ~= right then
        return left < right
      end
    end
    return false
  end)
  return list
end

--- One line each, also with the number that the built-in list puts before it.
---@param list brummer.Choice[]
---@param root string
---@return fun(choice: brummer.Choice): string
local function formatter(list, root)
  local label, tool = 0, 0
  for _, choice in ipairs(list) do
    label = math.max(label, vim.fn.strdisplaywidth(choice.label))
    tool = math.max(tool, vim.fn.strdisplaywidth(choice.tool))
  end
  label = math.min(label, 30)
  local mark = config.icon('running')
  return function(choice)
    local running = choice.tool ~= 'set' and state.alive(state.find(root, choice.label))
    local line = text.pad(running and mark or '', vim.fn.strdisplaywidth(mark))
      .. ' '
      .. text.pad(choice.label, label)
      .. '  '
      .. (tool > 0 and text.pad(choice.tool, tool) .. '  ' or '')
      .. (choice.command ~= choice.label and choice.command or '')
    return (text.pad(line, math.max(vim.o.columns - 8, 20)):gsub('%s+$', ''))
  end
end

--- Says what was looked for and how a command is added.
---@param dir string
function M.nothing(dir)
  require('brummer.ui.window').popup({
    (' Nothing to run in %s:'):format(vim.fn.fnamemodify(dir, ':~')),
    ' no script in a package.json, no command in a .brum.toml.',
    '',
    ' Three lines of .brum.toml add one:',
    '',
    '   [scripts.dev]',
    '   command = "npx vite"',
    '   cwd = "."',
  }, 'brummer')
end

--- Lets the user choose.
---@param open? brummer.OpenOpts
function M.choose(open)
  local root = project.current()
  local file = vim.bo.buftype == '' and vim.api.nvim_buf_get_name(0) or ''
  host.call('scripts', { dir = root or vim.fn.getcwd(-1, 0) }, function(err, value)
    if err then
      return notify.failed(err)
    end
    value = value or {}
    root = value.root or root or vim.fn.getcwd()
    local listing = catalog.remember(vim.tbl_extend('force', value, { root = root }))
    local list = M.choices(listing, vim.fs.normalize(file, { expand_env = false }))
    if #list == 0 then
      return M.nothing(root)
    end
    vim.ui.select(list, {
      prompt = ('Run in %s'):format(value.project or root),
      kind = 'brummer.script',
      format_item = formatter(list, root),
    }, function(choice)
      if choice then
        require('brummer.scripts').start({ root = root, names = choice.names, open = open })
      end
    end)
  end)
end

return M
