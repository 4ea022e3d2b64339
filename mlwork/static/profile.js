/* Search on a profile page: shows the cards whose text has every word typed. Without JavaScript the box stays hidden and all cards show. */
(function () {
  var box = document.getElementById('mlw-search'), count = document.getElementById('mlw-count');
  if (!box) return;
  var cards = [].slice.call(document.querySelectorAll('.mlw-card'));
  box.hidden = false;
  box.addEventListener('input', function () {
    var words = box.value.toLowerCase().split(/\s+/), shown = 0;
    cards.forEach(function (card) {
      var text = card.dataset.words, hit = words.every(function (w) { return text.indexOf(w) >= 0; });
      card.hidden = !hit;
      shown += hit;
    });
    count.textContent = box.value.trim() ? shown + ' of ' + cards.length + ' columns' : '';
  });
})();
