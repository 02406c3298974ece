--- The shortest way through everything: run, lines, jump, stop.
return function(test, t)
  test('a script runs, its lines appear, <CR> goes to the source', function(child)
    local c = child({ files = { ['src/a.ts'] = 'one\ntwo\nthree\n' } })
    c:answers(([[return { locate = function()
      return { file = %q, line = 2, col = 3, message = 'boom', rule = 'tsc', exact = true }
    end }]]):format(c.project .. '/src/a.ts'))
    local buf = c:open_log()
    t.eq(c:lua('return vim.api.nvim_buf_get_name(0)'), 'brummer://logs/dev')
    c:print(buf, 1, 3)
    t.eq(c:lines(buf), { 'line 1', 'line 2', 'line 3' })
    c:type('<CR>')
    t.wait(function()
      return c:lua('return vim.api.nvim_buf_get_name(0)') == c.project .. '/src/a.ts'
    end, 'the source')
    t.eq(c:lua('return vim.api.nvim_win_get_cursor(0)'), { 2, 2 })
    t.eq(c:calls('locate')[1].params, { id = 1, seq = 3 })
    c:cmd('Brummer stop')
    c:call('stop')
    t.wait(function()
      return c:lua("return require('brummer').status('dev').state") == 'stopped'
    end, 'the stopped row')
  end)
end
