--- `:checkhealth brummer`
local M = {}

---@param path string
local function program(path)
  local health = vim.health
  health.ok('program: ' .. path)
  local rpc = require('brummer.rpc')
  local ok, result = pcall(function()
    return vim.system({ path, '--version', '--json' }, { text = true, timeout = 1000 }):wait()
  end)
  local info
  if ok and result and result.code == 0 then
    _, info = pcall(vim.json.decode, result.stdout)
  end
  if type(info) ~= 'table' then
    local why = 'no answer within a second'
    if not ok then
      why = tostring(result)
    elseif result and result.code ~= 124 then
      why = ('exit %d %s'):format(result.code, vim.trim(result.stderr or ''):match('[^\n]*$'))
    end
    health.error('it does not answer --version: ' .. why, {
      'run :Brummer build',
    })
  elseif info.protocol ~= rpc.PROTOCOL then
    health.error(
      ('it speaks protocol %s, this plugin %d'):format(tostring(info.protocol), rpc.PROTOCOL),
      { 'run :Brummer build' }
    )
  else
    health.ok(('version %s, protocol %d'):format(tostring(info.version), info.protocol))
  end
end

local function host()
  local it = require('brummer.host')
  local info = it.info()
  if it.state() == 'ready' and info then
    vim.health.ok(('running: pid %s, version %s'):format(info.pid, info.version))
  else
    vim.health.info('not running (' .. it.state() .. '); it starts with the first command')
  end
  for _, who in ipairs({ 'host', 'lua' }) do
    local path = require('brummer.log').path(who)
    local stat = vim.uv.fs_stat(path)
    local size = stat and ('%d bytes'):format(stat.size) or 'not written yet'
    vim.health.info(('log file (%s): %s, %s'):format(who, path, size))
  end
end

local function project()
  local projects = require('brummer.project')
  local root = projects.current()
  if not root then
    return vim.health.info('project: none here (no package.json or .brum.toml above)')
  end
  local scripts = require('brummer.catalog').names(root)
  vim.health.ok(('project: %s, %d scripts known'):format(root, #scripts))
  vim.health.info(':Brummer config shows the problems of its .brum.toml')
end

function M.check()
  local health = vim.health
  health.start('brummer: editor')
  if vim.fn.has('nvim-0.10') == 1 then
    health.ok('Neovim ' .. tostring(vim.version()))
  else
    health.error('Neovim 0.10 or newer is needed')
  end
  local problems = require('brummer.config').problems()
  if #problems == 0 then
    health.ok('options')
  end
  for _, problem in ipairs(problems) do
    health.warn(problem, { 'see :help brummer-options' })
  end
  health.start('brummer: host')
  local path, problem = require('brummer.binary').find()
  if path then
    program(path)
  else
    health.error(problem)
  end
  host()
  health.start('brummer: project')
  project()
end

return M
