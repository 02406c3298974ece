--- Vim's patterns as those of the host.
return function(test, t)
  local plain = { ignorecase = false, smartcase = false }
  local function is(pattern, want, opts)
    t.eq(require('brummer.regex').translate(pattern, opts or plain), want, pattern)
  end

  test('words, repetition, groups at every magic level', function()
    is([[Foo.*bar]], [[Foo.*bar]])
    is([[\<Foo\>]], [[\<Foo\>]])
    is([[A\+\|B\=\|C\?]], [[A+|B?|C?]])
    is([[A\{2,3}B\{-1,}C\{,4}D\{}E\{-}F\{3\}]], [[A{2,3}B{1,}?C{0,4}D*E*?F{3}]])
    is([[\(A\|\%(B\)\)*]], [[(?:A|(?:B))*]])
    is([[\v<Foo>(a|b)+c?d{2}%(e)=]], [[\<Foo\>(?:a|b)+c?d{2}(?:e)?]])
    is([[\vA\(\.\+]], [[A\(\.\+]])
    is([[\VA.*\.\*]], [[A\.\*.*]])
    is([[\MA.*\.\*$]], [[A\.\*.*$]])
    is([[A\v(B)\m(C)]], [[A(?:B)\(C\)]])
  end)

  test('what stands for itself there and not here, and the other way round', function()
    is([[A+b?{c}|(d)]], [[A\+b\?\{c\}\|\(d\)]])
    is([[A\.b\*c\[d\~\\]], [[A\.b\*c\[d~\\]])
    is([[*A]], [[\*A]])
    is([[^*A]], [[^\*A]])
    is([[A^b$c]], [[A\^b\$c]])
    is([[^A$\|^B$]], [[^A$|^B$]])
    is([[\(^A$\)]], [[(?:^A$)]])
    is([[src/A\/b]], [[src\/A\/b]])
    is([[ünï→]], [[(?-i)ünï→]])
  end)

  test('collections and classes', function()
    is('[^]A-z_/]', [=[[^\]A-z_\/]]=])
    is('[[:alpha:]0-9&]X', [=[[[:alpha:]0-9\&]X]=])
    is([=[[\]\-\t\\.]X]=], [=[[\]\-\t\\.]X]=])
    is('[X', [=[\[X]=])
    is([[\d\D\s\S\w\x\h]], [=[[0-9][^0-9][ \t][^ \t][0-9A-Za-z_][0-9A-Fa-f][A-Za-z_]]=])
    is([[\l\U]], '(?-i:[a-z])(?-i:[^A-Z])')
    is([[\_s\_.\_^X\_$]], [=[[ \t].^X$]=])
    is([[\%u2192\e\tX]], [=[\x{2192}\x1B\tX]=])
  end)

  test('the case counts as the options and the pattern say', function()
    local both = { ignorecase = true, smartcase = true }
    local ignore = { ignorecase = true, smartcase = false }
    is('foo', '(?-i)foo')
    is('Foo', 'Foo')
    is('foo', 'foo', ignore)
    is('Foo', '(?i)Foo', ignore)
    is('Foo', 'Foo', both)
    is([[foo\S]], [=[foo[^ \t]]=], both)
    is([[Foo\c]], '(?i)Foo')
    is([[\Cfoo]], '(?-i)foo', ignore)
  end)

  test('where the match begins or ends does not matter', function()
    is([[A\zsB\zeC]], 'ABC')
  end)

  test('what the host cannot say is nil', function()
    for _, pattern in ipairs({
      [[\(a\)\1]],
      [[a\@=b]],
      [[a\&b]],
      [[a\nb]],
      [[a~]],
      [[\%^a]],
      [[\%23la]],
      [[\%[abc]\]],
      [[\(a]],
      [[a\)]],
      [[\va@<!b]],
      [[\+]],
      [=[[[=a=]]]=],
      '',
    }) do
      is(pattern, nil)
    end
  end)
end
