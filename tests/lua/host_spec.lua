--- The host process: distinct messages for each way it can fail, no waiting anywhere.
return function(test, t)
  local function error_of(child, opts)
    opts.width = 200
    local c = child(opts)
    c:cmd('BrummerRun dev')
    return c
  end

  test('a missing binary names the path and :Brummer build', function(child)
    local c = error_of(child, { binary = '/nowhere/brummer' })
    c:hears('no program at /nowhere/brummer; run :Brummer build')
    t.eq(#c:lua('return _G.said'), 1)
  end)

  test('a file that is not executable names chmod', function(child)
    local c = child({ width = 200 })
    vim.uv.fs_chmod(c.binary, 420)
    c:cmd('BrummerRun dev')
    c:hears('is not executable; run chmod +x')
  end)

  test('a crash at start names exit code and last words', function(child)
    local c = error_of(child, { env = { FAKE_HOST_MODE = 'crash' } })
    c:hears('brummer: run :Brummer build: ')
    c:hears('crashed at start (exit 3): cannot read the clock')
    t.eq(#c:lua('return _G.said'), 1, 'one message: ' .. c:said())
  end)

  test('another protocol number names both and the repair', function(child)
    local c = error_of(child, { env = { FAKE_HOST_MODE = 'protocol' } })
    c:hears('speaks protocol 2, this plugin 1; run :Brummer build')
    t.eq(c:calls(), {}, 'no call goes to a host of another protocol')
    t.eq(c:lua("return require('brummer.host').state()"), 'down')
  end)

  test('no answer in time is said and the host is stopped', function(child)
    local c = child({ width = 200, env = { FAKE_HOST_MODE = 'silent' } })
    c:lua("require('brummer.host').HELLO_MS = 200")
    c:cmd('BrummerRun dev')
    c:hears('gave no answer within')
    t.eq(c:lua("return require('brummer.host').state()"), 'down')
  end)

  test('a host that dies later is one message, an event, and started anew', function(child)
    local c = child({ width = 200 })
    c:lua([[
      _G.down = 0
      require('brummer').on('host_down', function() _G.down = _G.down + 1 end)
    ]])
    local buf = c:open_log()
    c:print(buf, 1, 3)
    c:lua([[
      _G.answers = {}
      require('brummer.rpc').call('errors', {}, function() end)
      require('brummer.rpc').call('die', { code = 7, words = 'out of luck' }, function(err)
        table.insert(_G.answers, err)
      end)
    ]])
    c:hears('the host ended (exit 7): out of luck; the next command starts it again')
    t.eq(#c:lua('return _G.said'), 1, c:said())
    t.eq(c:lua('return _G.down'), 1)
    t.eq(#c:lua('return _G.answers'), 1, 'the call under way is answered')
    t.eq(c:lines(buf)[3], 'line 3', 'the text stays')
    t.eq(c:lua("return require('brummer').statusline()"), '')
    t.has(c:lua("return require('brummer').status('dev').reason or ''"), 'may still run')
    c:cmd('BrummerRun dev')
    c:call('watch', 2)
    c:print(buf, 1, 2, { reset = true })
    t.eq(c:lines(buf), { 'line 1', 'line 2' }, 'lines of the new host replace the old ones')
  end)

  test('a host that ends with many words is told in 60 cells, with what to do', function(child)
    local c = child({ width = 60, height = 20 })
    c:open_log()
    c:lua([[
      require('brummer.rpc').call('die', { code = 7, words = ('out of luck '):rep(9) }, function() end)
    ]])
    c:hears('brummer: host ended; the next command starts it')
    t.eq(c:mode().blocking, false)
  end)

  test('no more than three starts in a minute', function(child)
    local c = child({ width = 200, env = { FAKE_HOST_MODE = 'crash' } })
    for n = 1, 3 do
      c:cmd('BrummerRun dev')
      t.wait(function()
        return #c:lua('return _G.said') == n
      end, 'crash ' .. n)
    end
    c:cmd('BrummerRun dev')
    c:hears('the host was started 3 times in a minute')
  end)

  test('a fault in one part is told once and the rest of the frame applied', function(child)
    local c = child({ width = 200 })
    local buf = c:open_log()
    c:lua([[
      _G.replied = false
      local real = require('brummer.rpc')
      real.call('errors', {}, function() _G.replied = true end)
    ]])
    t.wait(function()
      return c:lua('return _G.replied')
    end)
    local ack = c:frame({
      rev = 1,
      logs = { { buf = buf, total = 1, lines = { 'a' }, seqs = 'broken', times = {} } },
      procs = { c:row({ state = 'failed', id = 77, name = 'x' }) },
    })
    t.eq(ack, { buf }, 'the buffer asks to be sent whole')
    t.eq(c:lua("return require('brummer').status('x').state"), 'failed')
    c:frame({
      rev = 2,
      logs = { { buf = buf, total = 1, lines = { 'a' }, seqs = 'broken', times = {} } },
    })
    local _, n = c:said():gsub('fault in', '')
    t.eq(n, 1)
    t.eq(c:lua([[return require('brummer.rpc').frame('\\193junk')]]), true, 'junk is acknowledged')
  end)

  test('who types is told of in the answer to a frame, and frames are no keys', function(child)
    local c = child()
    c:open_log()
    local function typing()
      return c:frame({ rev = 1 }) == 'typing'
    end
    t.wait(function()
      return not typing()
    end)
    t.wait(function()
      c:type('l')
      return typing()
    end)
    t.wait(function()
      return not typing()
    end)
  end)

  test('a listener that raises does not stop the others', function(child)
    local c = child({ width = 200 })
    local buf = c:open_log()
    c:lua([[
      require('brummer').on('started', function() error('mine', 0) end)
      pcall(vim.cmd, 'set messagesopt=wait:0,history:100')
      require('brummer').on('started', function() _G.seen = true end)
    ]])
    c:frame({
      rev = 1,
      logs = {
        { buf = buf, id = 1, total = 1, lines = { 'a' }, seqs = { 1, 1 }, times = { 1, 1 } },
      },
      events = { { kind = 'started', id = 1, run = 1, at = 1 } },
    })
    t.eq(c:lines(buf), { 'a' })
    t.eq(c:calls('FAULT'), {}, 'the host never hears of it')
  end)

  test('nothing in the plugin waits: no rpcrequest, no vim.wait but that of :w', function()
    for _, dir in ipairs({ 'lua', 'plugin', 'ftplugin' }) do
      for _, path in ipairs(vim.fn.glob(t.root .. '/' .. dir .. '/**/*.lua', true, true)) do
        for line in io.lines(path) do
          local waits = line:find('vim%.wait') and not path:find('brummer/write%.lua$')
          t.ok(not line:find('rpcrequest') and not waits, path .. ': ' .. line)
          t.ok(not line:find('jobwait') and not line:find(':sleep'), path .. ': ' .. line)
          if line:find(':wait%(') then
            t.ok(path:find('health%.lua$'), path .. ': ' .. line)
          end
        end
      end
    end
  end)

  test('only rpc touches the channel', function()
    for _, path in ipairs(vim.fn.glob(t.root .. '/lua/**/*.lua', true, true)) do
      for line in io.lines(path) do
        if line:find('rpcnotify') or line:find('chansend') then
          t.ok(path:find('brummer/rpc%.lua$'), path .. ': ' .. line)
        end
      end
    end
  end)

  test('leaving tells the host and takes at most 20 ms', function(child)
    local c = child({ width = 200 })
    c:open_log()
    local took = c:lua([[
      local started = vim.uv.hrtime()
      vim.api.nvim_exec_autocmds('VimLeavePre', { group = 'brummer.quit' })
      return (vim.uv.hrtime() - started) / 1e6
    ]])
    t.ok(took <= 20, took)
    c:call('bye')
  end)

  test('a stopped host (SIGSTOP) does not hold up typing', function(child)
    local c = child({ width = 200 })
    c:open_log()
    local pid = c:lua("return require('brummer.host').info().pid")
    vim.uv.kill(pid, 'sigstop')
    c:cmd('wincmd k')
    c:cmd('Brummer next')
    c:cmd('BrummerRun api')
    c:type('ihello<Esc>')
    t.eq(c:lines(), { 'hello' })
    vim.uv.kill(pid, 'sigcont')
    c:call('run', 2)
  end)
end
