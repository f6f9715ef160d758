node default {
  notify { 'served-by':
    message => "served-by fqdn=${servername} ip=${serverip} certname=${trusted['certname']}",
  }
}
