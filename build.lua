-- Run by lazy.nvim after an install or update, in a coroutine; also by `nvim -l build.lua`.
local source = debug.getinfo(1, 'S').source:sub(2)
local dir = vim.fs.dirname(vim.fn.fnamemodify(source, ':p'))
local build = dofile(vim.fs.joinpath(dir, 'lua', 'brummer', 'build.lua'))

if coroutine.running() then
  build.hook(dir)
else
  -- No plugin manager: nobody's window can freeze.
  local co = coroutine.create(build.hook)
  repeat
    local ok, line = coroutine.resume(co, dir)
    if not ok then
      error(line, 0)
    elseif line then
      print(line)
    else
      vim.uv.run('nowait')
      vim.uv.sleep(10)
    end
  until coroutine.status(co) == 'dead'
end
