# Installs mainstay on Windows: finds the archive for this processor, checks it, and puts the program in its place.
#   powershell -ExecutionPolicy Bypass -File install.ps1 [-Version VERSION] [-To FOLDER] [-From PLACE] [-DryRun]
# -To: %ProgramFiles%\Mainstay CLI for an administrator, %LOCALAPPDATA%\Programs\mainstay for everybody else. -From: an address or a
# folder that has the files of a release, instead of GitHub's. Nothing is taken whose digest is not the one in SHA256SUMS. That comes
# from the same server: it shows that nothing was damaged on the way, and not who made it; no signature is checked here.
param(
    # Written in when a release is made.
    [string] $Version = '',
    [string] $To = '',
    [string] $From = '',
    [switch] $DryRun
)
$ErrorActionPreference = 'Stop'
# Without this, fetching takes many times as long.
$ProgressPreference = 'SilentlyContinue'

function Get-Target {
    # A 32-bit PowerShell is told the processor's own name in the second variable.
    $processor = if ($env:PROCESSOR_ARCHITEW6432) { $env:PROCESSOR_ARCHITEW6432 } else { $env:PROCESSOR_ARCHITECTURE }
    switch ($processor) {
        'AMD64' { 'x86_64-pc-windows-gnu' }
        'ARM64' { 'aarch64-pc-windows-msvc' }
        default { throw "there is no mainstay for the processor $processor" }
    }
}

function Get-UsualFolder {
    $caller = [Security.Principal.WindowsPrincipal] [Security.Principal.WindowsIdentity]::GetCurrent()
    if ($caller.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
        # Not `Mainstay`: below that mainstay keeps the services that it installs.
        Join-Path $env:ProgramFiles 'Mainstay CLI'
    } else {
        Join-Path $env:LOCALAPPDATA 'Programs\mainstay'
    }
}

function Get-File([string] $Name, [string] $Work) {
    $file = Join-Path $Work $Name
    if ($From -match '^https://' -or $From -match '^http://(localhost|127\.0\.0\.1|\[::1\])[:/]') {
        Invoke-WebRequest -UseBasicParsing -Uri "$From/$Name" -OutFile $file
    } elseif ($From -match '^http://') {
        throw "$From can be changed by everybody on the way: name an address with https://"
    } else {
        Copy-Item -LiteralPath (Join-Path $From $Name) -Destination $file
    }
    $file
}

function Assert-Digest([string] $File, [string] $Sums) {
    $name = Split-Path -Leaf $File
    $wanted = Get-Content -LiteralPath $Sums | ForEach-Object { , ($_ -split '\s+\*?', 2) } |
        Where-Object { $_[1] -eq $name } | ForEach-Object { $_[0] }
    if (-not $wanted) { throw "SHA256SUMS of the release says nothing of $name; nothing was installed" }
    $found = (Get-FileHash -Algorithm SHA256 -LiteralPath $File).Hash
    if ($found -ne $wanted) {
        throw "$name is damaged: its sha256 is $found, and SHA256SUMS says $wanted; nothing was installed"
    }
}

# A program that runs can be renamed, and not replaced: it goes aside, and back if the new one can't come.
function Move-IntoPlace([string] $Program, [string] $Place) {
    # Those of earlier runs go, but for the ones that still run.
    Get-ChildItem -LiteralPath (Split-Path -Parent $Place) -Filter 'mainstay.exe.before.*' |
        Remove-Item -Force -ErrorAction SilentlyContinue
    $number = 1
    while (Test-Path -LiteralPath "$Place.before.$number") { $number++ }
    $aside = "$Place.before.$number"
    $moved = $false
    if (Test-Path -LiteralPath $Place) {
        Move-Item -LiteralPath $Place -Destination $aside
        $moved = $true
    }
    try {
        Move-Item -LiteralPath $Program -Destination $Place
    } catch {
        if ($moved) { Move-Item -LiteralPath $aside -Destination $Place }
        throw
    }
}

if (-not $Version) { throw 'no version is named: -Version 0.1.0; an installer from a release knows its own' }
$Version = $Version -replace '^v', ''
if (-not $From) { $From = "https://github.com/mainstay-dev/mainstay/releases/download/v$Version" }
$From = $From.TrimEnd('/')
# What stands before an @ looks like the host, and is not.
if ($From -match '^https?://[^/]*@') { throw "$From has an @ before its first /: name the address without an account" }
if (-not $To) { $To = Get-UsualFolder }
$name = "mainstay-$Version-$(Get-Target)"
$place = Join-Path $To 'mainstay.exe'
if ($DryRun) {
    Write-Output "would fetch $From/$name.zip, and check it by SHA256SUMS"
    Write-Output "would write $place"
    return
}

New-Item -ItemType Directory -Force -Path $To | Out-Null
# Beside its place, so that the last step is a rename.
$work = Join-Path $To ".mainstay-$PID"
New-Item -ItemType Directory -Force -Path $work | Out-Null
try {
    $sums = Get-File 'SHA256SUMS' $work
    $archive = Get-File "$name.zip" $work
    Assert-Digest $archive $sums
    Expand-Archive -LiteralPath $archive -DestinationPath $work
    $program = Join-Path $work "$name\mainstay.exe"
    $said = & $program --version
    if ($said -ne "mainstay $Version") { throw "the archive holds another version: $said; nothing was installed" }
    Move-IntoPlace $program $place
    Write-Output "installed $place, $Version"
    if (($env:PATH -split ';') -notcontains $To) {
        Write-Output "note: $To is not in PATH; to add it for yourself:"
        Write-Output "  [Environment]::SetEnvironmentVariable('PATH', [Environment]::GetEnvironmentVariable('PATH', 'User') + ';$To', 'User')"
    }
} finally {
    # What a scanner of viruses still reads stays; the outcome above is the one that counts.
    Remove-Item -LiteralPath $work -Recurse -Force -ErrorAction SilentlyContinue
}
