// Inside WeChat, a payout that waits for its payee opens WeChat's own page to confirm it. Elsewhere the text says where to go.
(function () {
  "use strict";
  var button = document.querySelector("[data-confirm-package]");
  if (!button) return;
  function ready() {
    button.hidden = false;
    button.addEventListener("click", function () {
      window.WeixinJSBridge.invoke(
        "requestMerchantTransfer",
        { mchId: button.dataset.mch, appId: button.dataset.app, package: button.dataset.confirmPackage },
        function () { window.location.reload(); }
      );
    });
  }
  if (window.WeixinJSBridge) ready();
  else document.addEventListener("WeixinJSBridgeReady", ready, { once: true });
})();
