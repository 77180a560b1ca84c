import ArgumentParser

extension PermissionsCommand {
    /// `gatepost permissions export-script`: a script that an Exchange administrator runs.
    ///
    /// It writes one JSON document with the mailboxes, their permissions and the members of the
    /// groups that these name. It needs no configuration, because it reads no store.
    struct ExportScript: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export-script",
            abstract: "Print a PowerShell script that writes the export for load --from."
        )

        func run() {
            print(Self.text)
        }

        /// The script, for Windows PowerShell 5.1 and PowerShell 7. It runs against Exchange Online
        /// (module ExchangeOnlineManagement) and in the Exchange Management Shell.
        static let text = #"""
            <#
            .SYNOPSIS
                Exports the permissions of Exchange mailboxes to a file for
                `gatepost permissions load ADDRESS --from FILE`. Changes nothing in Exchange.
            .DESCRIPTION
                Exchange Online: run Connect-ExchangeOnline first, with the role group View-Only
                Recipients or the Entra role Global Reader. On premises: use the Exchange Management
                Shell, with the role group View-Only Organization Management. Requires Windows
                PowerShell 5.1 or PowerShell 7. The first error ends the script without a file.
            .EXAMPLE
                .\export.ps1 -Mailbox sales@kanzlei.example, info@kanzlei.example -Path export.json
            #>
            param(
                [Parameter(Mandatory = $true)][string[]] $Mailbox,
                [Parameter(Mandatory = $true)][string] $Path
            )
            Set-StrictMode -Version 2
            $ErrorActionPreference = 'Stop'
            $isOnline = [bool](Get-Command Get-RecipientPermission -ErrorAction SilentlyContinue)
            $mailTypes = 'Inbox', 'SentItems', 'DeletedItems', 'Drafts', 'JunkEmail', 'Archive',
                'Outbox', 'User Created'

            # The text of a property, or $null: not every version has each property.
            function Get-Value($Object, [string] $Name) {
                if ($null -eq $Object) { return $null }
                $property = $Object.PSObject.Properties[$Name]
                if ($null -eq $property -or $null -eq $property.Value) { return $null }
                $text = ([string]$property.Value).Trim()
                if ($text -eq '') { return $null }
                return $text
            }

            # The value of a switch, a boolean, or the text True or False.
            function Get-Flag($Object, [string] $Name) {
                $property = $Object.PSObject.Properties[$Name]
                if ($null -eq $property -or $null -eq $property.Value) { return $false }
                $value = $property.Value
                if ($value -is [bool]) { return $value }
                if ($value.PSObject.Properties['IsPresent']) { return [bool]$value.IsPresent }
                switch (([string]$value).Trim()) {
                    'True' { return $true }
                    'False' { return $false }
                }
                throw "$Name is neither True nor False: $value"
            }

            # All results of a cmdlet. A truncated list causes a warning, and every warning ends the
            # script.
            function Get-Whole([string] $Cmdlet, [hashtable] $Parameters = @{}) {
                $call = @{ ErrorAction = 'Stop'; WarningAction = 'Stop' } + $Parameters
                $known = (Get-Command $Cmdlet).Parameters
                if ($known.ContainsKey('ResultSize')) { $call['ResultSize'] = 'Unlimited' }
                & $Cmdlet @call
            }

            # The names in an enumeration or a collection.
            function Get-Words($Value) {
                foreach ($element in @($Value)) {
                    if ($null -eq $element) { continue }
                    foreach ($word in ([string]$element).Split(',')) {
                        if ($word.Trim() -ne '') { $word.Trim() }
                    }
                }
            }

            function New-Principal($Value, $Sid, $Address) {
                $name = Get-Value ([pscustomobject]@{ V = $Value }) 'V'
                $raw = Get-Value $Value 'RawIdentity'
                if ($raw) { $name = $raw }
                if (-not $Sid -and $Value.PSObject.Properties['SecurityIdentifier']) {
                    $Sid = Get-Value $Value 'SecurityIdentifier'
                }
                if (-not $name) { throw 'an entry has no name' }
                return [ordered]@{
                    name = $name; sid = $Sid; guid = (Get-Value $Value 'ObjectGuid')
                    address = $Address; kind = $null
                }
            }

            function New-FolderPrincipal($User) {
                $name = Get-Value $User 'DisplayName'
                if (-not $name) { $name = [string]$User }
                $kind = $null
                if ($User.PSObject.Properties['UserType']) { $kind = [string]$User.UserType }
                $recipient = $null
                foreach ($property in 'RecipientPrincipal', 'ADRecipient') {
                    if ($User.PSObject.Properties[$property]) { $recipient = $User.$property }
                }
                $address = Get-Value $recipient 'PrimarySmtpAddress'
                if (-not $address) { $address = Get-Value $User 'UserPrincipalName' }
                return [ordered]@{
                    name = $name; sid = $null; guid = (Get-Value $recipient 'Guid')
                    address = $address; kind = $kind
                }
            }

            function Get-AccessEntries($Rows, [string] $Column) {
                foreach ($row in @($Rows)) {
                    if ($null -eq $row) { continue }
                    $sid = Get-Value $row 'UserSid'
                    if (-not $sid) { $sid = Get-Value $row 'TrusteeSidString' }
                    $isDenied = Get-Flag $row 'Deny'
                    $type = Get-Value $row 'AccessControlType'
                    if ($type -and $type -ne 'Allow') { $isDenied = $true }
                    [ordered]@{
                        principal = New-Principal $row.$Column $sid $null
                        isDenied = $isDenied
                        isInherited = (Get-Flag $row 'IsInherited')
                    }
                }
            }

            $mailboxes = foreach ($identity in $Mailbox) {
                $found = @(Get-Whole Get-Mailbox @{ Identity = $identity })
                if ($found.Count -ne 1) { throw "$identity matches $($found.Count) mailboxes, not one" }
                $box = $found[0]
                $address = [string]$box.PrimarySmtpAddress
                $fullAccess = @(Get-Whole Get-MailboxPermission @{ Identity = $address } |
                    Where-Object { @(Get-Words $_.AccessRights) -contains 'FullAccess' })
                if ($isOnline) {
                    $sendAs = @(Get-Whole Get-RecipientPermission @{ Identity = $address })
                    $sendAs = @(Get-AccessEntries $sendAs 'Trustee')
                } else {
                    $sendAs = @(Get-Whole Get-ADPermission @{ Identity = $box.DistinguishedName } |
                        Where-Object {
                            $rights = @(Get-Words $_.ExtendedRights)
                            $access = @(Get-Words $_.AccessRights)
                            $isAll = ($access -contains 'GenericAll') -or
                                (($access -contains 'ExtendedRight') -and ($rights.Count -eq 0))
                            ($rights -contains 'Send-As') -or ((Get-Flag $_ 'Deny') -and $isAll)
                        })
                    $sendAs = @(Get-AccessEntries $sendAs 'User')
                }
                $all = @(Get-Whole Get-MailboxFolderStatistics @{ Identity = $address })
                $folders = foreach ($folder in $all) {
                    if ($mailTypes -notcontains [string]$folder.FolderType) { continue }
                    $place = "${address}:$($folder.FolderId)"
                    $rows = @(Get-Whole Get-MailboxFolderPermission @{ Identity = $place })
                    $entries = foreach ($row in $rows) {
                        [ordered]@{
                            principal = New-FolderPrincipal $row.User
                            rights = @(Get-Words $row.AccessRights)
                        }
                    }
                    [ordered]@{
                        path = @(([string]$folder.FolderPath).Split('/') | Where-Object { $_ -ne '' })
                        type = [string]$folder.FolderType
                        entries = @($entries)
                    }
                }
                [ordered]@{
                    address = $address
                    identities = @($box.EmailAddresses | ForEach-Object { [string]$_ })
                    fullAccess = @(Get-AccessEntries $fullAccess 'User')
                    sendAs = @($sendAs)
                    sendOnBehalf = @($box.GrantSendOnBehalfTo | Where-Object { $null -ne $_ } |
                        ForEach-Object { New-Principal $_ $null $null })
                    folders = @($folders)
                }
            }

            # All recipients, with every name that Exchange may use for them.
            $recipients = @{}
            foreach ($row in @(Get-Whole Get-Recipient)) {
                $recipients[[string]$row.Guid] = [ordered]@{
                    guids = @(@((Get-Value $row 'Guid'), (Get-Value $row 'ExchangeGuid'),
                            (Get-Value $row 'ExternalDirectoryObjectId')) | Where-Object { $_ })
                    sids = @()
                    addresses = @(@((Get-Value $row 'PrimarySmtpAddress'),
                            (Get-Value $row 'WindowsLiveID')) + @($row.EmailAddresses |
                            ForEach-Object { [string]$_ }) | Where-Object { $_ })
                    names = @(@((Get-Value $row 'DisplayName'), (Get-Value $row 'Name'),
                            (Get-Value $row 'Identity'), (Get-Value $row 'Alias'),
                            (Get-Value $row 'DistinguishedName')) | Where-Object { $_ })
                    type = [string]$row.RecipientTypeDetails
                    isEnabled = $true
                    members = $null
                }
            }
            $principals = @(Get-Whole Get-User)
            if (Get-Command Get-Group -ErrorAction SilentlyContinue) {
                $principals += @(Get-Whole Get-Group)
            }
            foreach ($row in $principals) {
                $known = $recipients[[string]$row.Guid]
                if ($null -eq $known) { continue }
                $history = @()
                if ($row.PSObject.Properties['SidHistory']) { $history = @(Get-Words $row.SidHistory) }
                $known.sids = @(@((Get-Value $row 'Sid')) + $history | Where-Object { $_ })
                $name = Get-Value $row 'UserPrincipalName'
                if ($name) { $known.addresses = @($known.addresses + $name) }
                $name = Get-Value $row 'SamAccountName'
                if ($name) { $known.names = @($known.names + $name) }
                if ($row.PSObject.Properties['AccountDisabled']) {
                    $known.isEnabled = -not (Get-Flag $row 'AccountDisabled')
                }
            }
            foreach ($known in @($recipients.Values)) {
                $id = $known.guids[0]
                switch -Wildcard ($known.type) {
                    'Mail*Group' {
                        $known.members = @(Get-Whole Get-DistributionGroupMember @{ Identity = $id } |
                            ForEach-Object { [string]$_.Guid })
                    }
                    'DynamicDistributionGroup' {
                        if (Get-Command Get-DynamicDistributionGroupMember -ErrorAction SilentlyContinue) {
                            $known.members = @(Get-Whole Get-DynamicDistributionGroupMember `
                                @{ Identity = $id } | ForEach-Object { [string]$_.Guid })
                        }
                    }
                }
            }

            # The applications in Exchange, such as the gateway's: no user owns them.
            $applications = @()
            if (Get-Command Get-ServicePrincipal -ErrorAction SilentlyContinue) {
                $applications = @(Get-Whole Get-ServicePrincipal | ForEach-Object {
                    [ordered]@{
                        guids = @(@((Get-Value $_ 'ObjectId'), (Get-Value $_ 'AppId'),
                                (Get-Value $_ 'Guid')) | Where-Object { $_ })
                        sids = @(@(Get-Value $_ 'Sid') | Where-Object { $_ })
                        addresses = @()
                        names = @(@((Get-Value $_ 'DisplayName'), (Get-Value $_ 'Name'),
                                (Get-Value $_ 'Identity')) | Where-Object { $_ })
                        type = 'ServicePrincipal'
                        isEnabled = $true
                        members = $null
                    }
                })
            }

            $document = [ordered]@{
                format = 'gatepost-exchange-permissions'
                version = 1
                created = (Get-Date).ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ')
                mailboxes = @($mailboxes)
                recipients = @($recipients.Values) + $applications
                notes = @()
                complete = $true
            }
            $json = ConvertTo-Json -InputObject $document -Depth 10
            $file = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path)
            [System.IO.File]::WriteAllText($file, $json, (New-Object System.Text.UTF8Encoding $false))
            Write-Host "$(@($mailboxes).Count) mailboxes written to $file"
            """#
    }
}
