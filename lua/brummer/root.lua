--- Which directory a project is, as far as the files say it to Lua: the host knows it exactly.
local M = {}

local MAX_BYTES = 1024 * 1024

-- Files that make a directory a project, and those that do where nothing above does.
local PROJECT = {
  'deno.json',
  'deno.jsonc',
  'Cargo.toml',
  'go.mod',
  'go.work',
  'build.gradle',
  'build.gradle.kts',
  'settings.gradle',
  'settings.gradle.kts',
  'pom.xml',
  'pyproject.toml',
  'setup.py',
  'manage.py',
  'Pipfile',
  'requirements.txt',
  'Gemfile',
  'Rakefile',
  'composer.json',
  'artisan',
  'mix.exs',
  'pubspec.yaml',
  'Procfile',
  'Procfile.dev',
  'Taskfile.yml',
  'Taskfile.yaml',
  '.vscode/tasks.json',
}
local ENDINGS = { '%.csproj$', '%.fsproj$', '%.vbproj$', '%.slnx?$' }
local PART = {
  'GNUmakefile',
  'makefile',
  'Makefile',
  'justfile',
  'Justfile',
  '.justfile',
  'compose.yaml',
  'compose.yml',
  'docker-compose.yaml',
  'docker-compose.yml',
  'Taskfile.dist.yml',
  'Taskfile.dist.yaml',
}
local WORKSPACE = { 'pnpm-workspace.yaml', 'lerna.json', 'nx.json', 'rush.json' }

---@param dir string
---@param names string[]
---@return boolean
local function has(dir, names)
  for _, name in ipairs(names) do
    local stat = vim.uv.fs_stat(dir .. '/' .. name)
    if stat and stat.type == 'file' then
      return true
    end
  end
  return false
end

---@param dir string
---@return boolean
local function solution(dir)
  local scan = vim.uv.fs_scandir(dir)
  for _ = 1, scan and 2000 or 0 do
    local name = vim.uv.fs_scandir_next(scan)
    if not name then
      break
    end
    for _, ending in ipairs(ENDINGS) do
      if name:find(ending) then
        return true
      end
    end
  end
  return false
end

--- Whether a directory may be a workspace, of which those below are packages.
---@param dir string
---@return boolean
local function workspace(dir)
  if has(dir, WORKSPACE) then
    return true
  end
  for _, name in ipairs({ 'package.json', 'deno.json', 'deno.jsonc' }) do
    local stat = vim.uv.fs_stat(dir .. '/' .. name)
    local file = stat and stat.size <= MAX_BYTES and io.open(dir .. '/' .. name, 'r')
    if file then
      local found = (file:read('*a') or ''):find('"workspaces?"')
      file:close()
      if found then
        return true
      end
    end
  end
  return false
end

--- The project a directory is in, and whether the host would say the same: packages in `node_modules` are no
--- projects, `~/.brum.toml` holds the user's settings, and a package may belong to a workspace above it.
---@param path string
---@return string? root
---@return boolean certain
function M.find(path)
  local home = vim.uv.os_homedir()
  local dir, nearest, part = path, nil, nil ---@type string?, string?, string?
  while dir do
    if not (dir .. '/'):find('/node_modules/', 1, true) then
      if dir ~= home and not nearest and has(dir, { '.brum.toml' }) then
        return dir, true
      elseif nearest or part then
        if workspace(dir) then
          return dir, false
        end
      end
      if not nearest then
        if has(dir, { 'package.json' }) or dir ~= home and (has(dir, PROJECT) or solution(dir)) then
          nearest = dir
        elseif dir ~= home and has(dir, PART) then
          part = part or dir
        end
      end
      if (nearest or part) and (dir == home or vim.uv.fs_stat(dir .. '/.git')) then
        break
      end
    end
    local parent = vim.fs.dirname(dir)
    dir = parent ~= dir and parent or nil
  end
  return nearest or part, nearest ~= nil and has(nearest, { 'package.json' })
end

return M
