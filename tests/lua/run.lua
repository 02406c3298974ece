--- Runs the specs: `nvim --clean -l tests/lua/run.lua [PATTERN…]`. A pattern picks tests by
--- `file: name`. Prints what failed and `N passed, N failed`; the exit code says the same.
local source = debug.getinfo(1, 'S').source:sub(2)
local dir = vim.fs.dirname(vim.fn.fnamemodify(source, ':p'))
package.path = dir
  .. '/?.lua;'
  .. dir
  .. '/../../lua/?.lua;'
  .. dir
  .. '/../../lua/?/init.lua;'
  .. package.path
local helper = require('helper')

--- To stdout: `print` of `nvim -l` goes to stderr and leaves out the last newline.
local function print(text)
  io.stdout:write(text, '\n')
  io.stdout:flush()
end

local passed, failed = 0, 0
local patterns = arg or {}

---@param label string
---@return boolean
local function wanted(label)
  if #patterns == 0 then
    return true
  end
  for _, pattern in ipairs(patterns) do
    if label:find(pattern) then
      return true
    end
  end
  return false
end

local files = vim.fn.glob(dir .. '/*_spec.lua', true, true)
table.sort(files)
for _, path in ipairs(files) do
  local name = vim.fs.basename(path):gsub('_spec%.lua$', '')
  local children
  local function test(title, fn)
    local label = name .. ': ' .. title
    if not wanted(label) then
      return
    end
    children = {}
    local started = vim.uv.hrtime()
    local ok, err = xpcall(fn, debug.traceback, function(opts)
      local child = helper.child(opts)
      children[#children + 1] = child
      return child
    end)
    for _, child in ipairs(children) do
      pcall(child.stop, child)
    end
    if ok then
      passed = passed + 1
    else
      failed = failed + 1
      print(('FAIL %s\n%s\n'):format(label, tostring(err)))
    end
    if vim.env.VERBOSE then
      print(
        ('%s %s (%d ms)'):format(ok and 'ok  ' or 'FAIL', label, (vim.uv.hrtime() - started) / 1e6)
      )
    end
  end
  local chunk, err = loadfile(path)
  if not chunk then
    failed = failed + 1
    print(('FAIL %s\n%s\n'):format(name, err))
  else
    chunk()(test, helper)
  end
end

print(('%d passed, %d failed'):format(passed, failed))
os.exit(failed == 0 and 0 or 1)
